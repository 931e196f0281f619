/* SPDX-License-Identifier: Apache-2.0
 *
 * An object comes as a file only when it is what its manifest says, and nothing is left of it otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "codec/codec.h"
#include "codec/digest.h"
#include "scratch.h"
#include "ship/download.h"

static const char TEXT[] = "JAVA PROFILE 1.0.2 and more";
enum { TEXT_SIZE = sizeof(TEXT) - 1 };

static struct {
    struct sink *sink;
    struct manifest manifest;
    struct download download;
    char folder[PATH_MAX], file[PATH_MAX + 16];
    struct err e;
} t;

static void digest_of(const void *data, size_t size, char out[SHA256_HEX_MAX])
{
    struct digest d;

    digest_init(&d);
    digest_update(&d, data, size);
    digest_hex(&d, out);
}

/* Stores these bytes, and makes the manifest of a file with TEXT that they hold. */
static void store(const char *codec, const void *data, size_t size)
{
    assert_int_equal(t.sink->ops->put(t.sink, &(struct small_object){"o", "", data, size}, &t.e), 0);
    t.manifest = (struct manifest){.codec = (char *)codec, .size = TEXT_SIZE, .stored_size = size};
    digest_of(TEXT, TEXT_SIZE, t.manifest.sha256);
    digest_of(data, size, t.manifest.stored_sha256);
    t.download = (struct download){.sink = t.sink, .key = "o", .manifest = &t.manifest};
}

/* TEXT as a frame, which is cut by so many bytes. */
static void store_compressed(size_t cut)
{
    char frame[256];
    void *encoder;
    ssize_t n;

    assert_int_equal(CODEC_ZSTD.encoder_new(1, TEXT_SIZE, &encoder), 0);
    n = CODEC_ZSTD.encode(encoder, TEXT, TEXT_SIZE, frame, sizeof(frame));
    CODEC_ZSTD.encoder_free(encoder);
    assert_true(n > 0 && (size_t)n > cut);
    store("zstd:1", frame, (size_t)n - cut);
}

static int set_up(void **state)
{
    static char url[PATH_MAX + 16];
    struct sink_config c = {.url = {.scheme = URL_FILE, .authority = (char *)"", .path = url}, .uploads = 1};

    memset(&t, 0, sizeof(t));
    if (scratch_set_up(state) < 0 || !realpath(scratch_root, t.folder))
        return -1;
    snprintf(url, sizeof(url), "%s/store", t.folder);
    snprintf(t.file, sizeof(t.file), "%s/out", t.folder);
    return sink_open(&c, &t.sink, &t.e);
}

static int tear_down(void **state)
{
    sink_close(t.sink);
    return scratch_tear_down(state);
}

static void assert_file(const char *text, size_t size)
{
    CLEANUP(buf_done) struct buf found = {0};
    struct stat st;

    assert_int_equal(file_load(scratch_fd, "out", &found), 0);
    assert_int_equal(found.size, size);
    assert_memory_equal(buf_text(&found), text, size);
    assert_int_equal(fstatat(scratch_fd, "out", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

/* Files beside the store. */
static unsigned files(void)
{
    CLEANUP_DIR DIR *dir = file_opendir(scratch_fd, ".");
    unsigned count = 0;

    for (struct dirent *d; (d = readdir(dir));)
        count += strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 && strcmp(d->d_name, "store") != 0;
    return count;
}

static void assert_refused(int fault, const char *words)
{
    assert_int_equal(download_to_file(&t.download, t.file, &t.e), -fault);
    if (!strstr(t.e.msg, words))
        fail_msg("'%s' in '%s'", words, t.e.msg);
    assert_int_equal(files(), 0);
}

static void a_file_is_decompressed_and_for_its_owner_alone(void **state)
{
    (void)state;
    store_compressed(0);
    assert_int_equal(download_to_file(&t.download, t.file, &t.e), 0);
    assert_file(TEXT, TEXT_SIZE);
    assert_int_equal(files(), 1);
}

static void a_raw_object_stays_as_it_is_stored(void **state)
{
    (void)state;
    store("a codec of the future", "??", 2);
    t.download.raw = true;
    assert_int_equal(download_to_file(&t.download, t.file, &t.e), 0);
    assert_file("??", 2);
}

static void an_object_of_an_unknown_codec_is_offered_raw(void **state)
{
    (void)state;
    store("a codec of the future", "??", 2);
    assert_refused(FAULT_FORMAT, "--raw");
}

static void another_object_of_the_same_size_is_refused(void **state)
{
    (void)state;
    store("none", TEXT, TEXT_SIZE);
    t.manifest.stored_sha256[0] ^= 1;
    assert_refused(FAULT_CORRUPT, "the object is not what was shipped");
}

static void an_object_that_is_too_long_is_refused(void **state)
{
    (void)state;
    store("none", TEXT, TEXT_SIZE);
    t.manifest.stored_size--;
    assert_refused(FAULT_CORRUPT, "longer than");
}

static void an_object_that_is_too_short_is_refused(void **state)
{
    (void)state;
    store("none", TEXT, TEXT_SIZE);
    t.manifest.stored_size++;
    assert_refused(FAULT_CORRUPT, "the object is not what was shipped");
}

static void an_object_that_ends_inside_a_frame_is_refused(void **state)
{
    (void)state;
    store_compressed(1);
    assert_refused(FAULT_CORRUPT, "in the middle of a frame");
}

static void an_object_that_does_not_decompress_is_refused(void **state)
{
    (void)state;
    store("zstd:1", "no frame", 8);
    assert_refused(FAULT_CORRUPT, "does not decompress");
}

static void no_more_is_written_than_the_manifest_says(void **state)
{
    (void)state;
    store_compressed(0);
    t.manifest.size = TEXT_SIZE - 1;
    assert_refused(FAULT_CORRUPT, "holds more than");
}

static void another_file_in_the_same_object_is_refused(void **state)
{
    (void)state;
    store_compressed(0);
    t.manifest.sha256[0] ^= 1;
    assert_refused(FAULT_CORRUPT, "the file is not what was shipped");
}

static void an_object_that_is_not_there_leaves_no_file(void **state)
{
    (void)state;
    store("none", TEXT, TEXT_SIZE);
    t.download.key = "another";
    assert_int_equal(download_to_file(&t.download, t.file, &t.e), -FAULT_NO_OBJECT);
    assert_int_equal(files(), 0);
}

static void a_file_that_is_there_is_kept_unless_it_may_be_replaced(void **state)
{
    (void)state;
    store("none", TEXT, TEXT_SIZE);
    scratch_put(".", "out", "mine");
    assert_int_equal(download_to_file(&t.download, t.file, &t.e), -FAULT_EXISTS);
    assert_int_equal(files(), 1);
    t.download.overwrite = true;
    assert_int_equal(download_to_file(&t.download, t.file, &t.e), 0);
    assert_file(TEXT, TEXT_SIZE);
    assert_int_equal(files(), 1);
}

static void a_bad_object_never_replaces_a_file(void **state)
{
    CLEANUP(buf_done) struct buf found = {0};

    (void)state;
    store("none", TEXT, TEXT_SIZE);
    t.manifest.stored_sha256[0] ^= 1;
    scratch_put(".", "out", "mine");
    t.download.overwrite = true;
    assert_int_equal(download_to_file(&t.download, t.file, &t.e), -FAULT_CORRUPT);
    assert_int_equal(file_load(scratch_fd, "out", &found), 0);
    assert_string_equal(buf_text(&found), "mine");
    assert_int_equal(files(), 1);
}

static void what_is_no_file_is_not_written_to(void **state)
{
    (void)state;
    store("none", TEXT, TEXT_SIZE);
    assert_int_equal(mkdirat(scratch_fd, "out", 0700), 0);
    t.download.overwrite = true;
    assert_int_equal(download_to_file(&t.download, t.file, &t.e), -FAULT_EXISTS);
    assert_int_equal(files(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_decompressed_and_for_its_owner_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_raw_object_stays_as_it_is_stored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_object_of_an_unknown_codec_is_offered_raw, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_object_of_the_same_size_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_object_that_is_too_long_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_object_that_is_too_short_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_object_that_ends_inside_a_frame_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_object_that_does_not_decompress_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_more_is_written_than_the_manifest_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_file_in_the_same_object_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_object_that_is_not_there_leaves_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_there_is_kept_unless_it_may_be_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_object_never_replaces_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_not_written_to, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
