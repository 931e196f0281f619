/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder store: nothing half to be seen, nothing lost over an interruption, nothing outside of the folder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/sink.h"

#define ID "0123456789abcdef"
#define TEMPORARY ".68e7249e77796b73.part" /* ID and XXH3 of KEY, by exclusive or */
static const char KEY[] = "shop/cart/case/heap.hprof.zst";

static char folder[] = "sink_file_test.XXXXXX";
static char path[4096];
static int folderfd;
static struct sink *sink;
static unsigned done_good, done_bad, tokens;

static struct sink_config config_of(const char *below)
{
    static char text[4200];

    snprintf(text, sizeof(text), "%s%s", path, below);
    return (struct sink_config){.url = {.scheme = URL_FILE, .authority = (char *)"", .path = text}, .uploads = 4};
}

static int set_up(void **state)
{
    struct sink_config c;
    struct err e;
    char cwd[4000];

    (void)state;
    memset(folder + sizeof(folder) - 7, 'X', 6);
    if (!mkdtemp(folder) || !getcwd(cwd, sizeof(cwd)))
        return -1;
    snprintf(path, sizeof(path), "%s/%s", cwd, folder);
    folderfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    done_good = done_bad = tokens = 0;
    c = config_of("");
    return sink_open(&c, &sink, &e);
}

static int tear_down(void **state)
{
    (void)state;
    sink_close(sink);
    close(folderfd);
    return file_remove_tree(AT_FDCWD, folder);
}

static void on_token(void *ctx, const char *token)
{
    (void)ctx;
    assert_string_equal(token, TEMPORARY);
    tokens++;
}

static void on_done(void *ctx, struct part *part, const char *etag)
{
    (void)ctx;
    (void)part;
    if (etag)
        done_good++;
    else
        done_bad++;
}

static const struct upload_events EVENTS = {.token = on_token, .done = on_done};
static const struct object OBJECT = {.key = KEY, .content_type = "application/zstd", .id = ID, .part_size = 4};

static void hex_of(const char *text, size_t size, char out[65])
{
    unsigned char digest[32];

    SHA256((const unsigned char *)text, size, digest);
    text_hex(digest, sizeof(digest), out);
}

static struct whole whole_of(const char *text)
{
    struct whole w = {.size = strlen(text)};

    hex_of(text, strlen(text), w.sha256);
    return w;
}

static struct upload *begin(const struct upload_past *past)
{
    struct upload *u = NULL;
    struct err e;

    assert_int_equal(sink->ops->upload_new(sink, &(struct upload_start){&OBJECT, past, &EVENTS}, &u, &e), 0);
    return u;
}

static void put_part(struct upload *u, unsigned number, const char *text, bool last)
{
    struct part p = {.number = number, .last = last, .size = strlen(text), .data = (unsigned char *)(uintptr_t)text};
    struct err e;

    assert_int_equal(sink->ops->write(u, &p, &e), 0);
}

static void expect_file(const char *name, const char *text)
{
    CLEANUP(buf_done) struct buf b = {0};

    assert_int_equal(file_load(folderfd, name, &b), 0);
    assert_string_equal(buf_text(&b), text);
}

static void expect_none(const char *name)
{
    assert_int_equal(faccessat(folderfd, name, F_OK, AT_SYMLINK_NOFOLLOW), -1);
    assert_int_equal(errno, ENOENT);
}

static void make_file(const char *name, const char *text)
{
    CLEANUP_FD int fd = openat(folderfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, text, strlen(text)), 0);
}

static int note_key(void *ctx, const struct sink_listing_entry *entry)
{
    return buf_printf(ctx, "%s=%u;", entry->key, (unsigned)entry->size);
}

static void expect_list(const char *prefix, const char *text)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct err e;

    assert_int_equal(sink->ops->list(sink, prefix, note_key, &b, &e), 0);
    assert_string_equal(buf_text(&b), text);
}

static int keep(void *ctx, const void *data, size_t size)
{
    return buf_add(ctx, data, size);
}

/* Two processes write two pieces of one case. */
static void pieces_of_one_case_do_not_meet(void **state)
{
    static const char other[] = "shop/cart/case/threads.txt.zst";
    const struct object piece = {.key = other, .content_type = "text/plain", .id = ID, .part_size = 4};
    const struct upload_events nothing = {.done = on_done};
    struct whole large = whole_of("one two three"), small = whole_of("waits");
    struct upload *u = begin(NULL), *v = NULL;
    struct part p = {.number = 1, .last = true, .size = 5, .data = (unsigned char[]){"waits"}};
    struct err e;

    (void)state;
    put_part(u, 1, "one two ", false);
    assert_int_equal(sink->ops->upload_new(sink, &(struct upload_start){&piece, NULL, &nothing}, &v, &e), 0);
    assert_int_equal(sink->ops->write(v, &p, &e), 0);
    put_part(u, 2, "three", true);
    assert_int_equal(sink->ops->commit(v, &small, &e), 0);
    assert_int_equal(sink->ops->commit(u, &large, &e), 0);
    expect_file(KEY, "one two three");
    expect_file(other, "waits");
    sink->ops->upload_free(u);
    sink->ops->upload_free(v);
}

static void an_object_appears_whole_and_only_at_commit(void **state)
{
    struct upload *u = begin(NULL);
    struct whole w = whole_of("one two three");
    struct stat st;
    struct err e;

    (void)state;
    put_part(u, 1, "one ", false);
    put_part(u, 2, "two ", false);
    put_part(u, 3, "three", true);
    assert_int_equal(done_good, 3);
    assert_int_equal(tokens, 1);
    expect_none(KEY);
    expect_file("shop/cart/case/" TEMPORARY, "one two three");
    expect_list("", "");

    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    expect_file(KEY, "one two three");
    expect_none("shop/cart/case/" TEMPORARY);
    assert_int_equal(sink->ops->verify(u, &w, true, &e), 0);
    sink->ops->upload_free(u);

    assert_int_equal(fstatat(folderfd, KEY, &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
}

static void an_empty_object_is_one_too(void **state)
{
    struct upload *u = begin(NULL);
    struct whole w = whole_of("");
    struct object_info info;
    struct err e;

    (void)state;
    put_part(u, 1, "", true);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    assert_int_equal(sink->ops->verify(u, &w, true, &e), 0);
    assert_int_equal(sink->ops->stat(sink, KEY, &info, &e), 0);
    assert_int_equal(info.size, 0);
    assert_string_equal(info.sha256, "");
    sink->ops->upload_free(u);
}

static void damage_behind_our_back_is_found_by_verify(void **state)
{
    struct upload *u = begin(NULL);
    struct whole w = whole_of("as it was");
    struct err e;

    (void)state;
    put_part(u, 1, "as it was", true);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    make_file(KEY, "as it saw");
    assert_int_equal(sink->ops->verify(u, &w, true, &e), -FAULT_CORRUPT);
    make_file(KEY, "as it");
    assert_int_equal(sink->ops->verify(u, &w, true, &e), -FAULT_CORRUPT);
    sink->ops->upload_free(u);
}

static void too_few_bytes_are_never_made_visible(void **state)
{
    struct upload *u = begin(NULL);
    struct whole w = whole_of("more than that");
    struct err e;

    (void)state;
    put_part(u, 1, "more", false);
    assert_int_equal(sink->ops->commit(u, &w, &e), -FAULT_CORRUPT);
    expect_none(KEY);
    sink->ops->upload_free(u);
}

static void abort_leaves_no_file(void **state)
{
    struct upload *u = begin(NULL);

    (void)state;
    put_part(u, 1, "half", false);
    sink->ops->abort(u);
    sink->ops->upload_free(u);
    expect_none("shop/cart/case/" TEMPORARY);
}

/* What an earlier run leaves: two parts in the journal, and some bytes behind them that are in none. */
static struct upload_past interrupt(char digest[65])
{
    struct upload *u = begin(NULL);

    put_part(u, 1, "one ", false);
    put_part(u, 2, "two ", false);
    put_part(u, 3, "thr", false);
    sink->ops->upload_free(u);
    hex_of("one two ", 8, digest);
    return (struct upload_past){.token = TEMPORARY, .count = 2, .stored_end = 8, .stored_digest = digest};
}

static void an_interrupted_upload_goes_on_behind_its_last_part(void **state)
{
    char digest[65];
    struct upload_past past = interrupt(digest);
    struct whole w = whole_of("one two three");
    struct upload *u = begin(&past);
    struct err e;

    (void)state;
    put_part(u, 3, "three", true);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    assert_int_equal(sink->ops->verify(u, &w, true, &e), 0);
    sink->ops->upload_free(u);
    expect_list("", "shop/cart/case/heap.hprof.zst=13;");
}

static void expect_gone(const struct upload_past *past)
{
    struct upload *u = NULL;
    struct err e;

    assert_int_equal(sink->ops->upload_new(sink, &(struct upload_start){&OBJECT, past, &EVENTS}, &u, &e), -FAULT_GONE);
    assert_null(u);
}

static void what_does_not_match_the_journal_is_begun_anew(void **state)
{
    static const char *const BAD[] = {"one TWO thr", "one two", ""};
    char digest[65];
    struct upload_past past = interrupt(digest);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(BAD); i++) {
        make_file("shop/cart/case/" TEMPORARY, BAD[i]);
        expect_gone(&past);
    }
    assert_int_equal(unlinkat(folderfd, "shop/cart/case/" TEMPORARY, 0), 0);
    expect_gone(&past);
    assert_int_equal(file_remove_tree(folderfd, "shop"), 0);
    expect_gone(&past);
    sink->ops->upload_free(begin(NULL));
    expect_file("shop/cart/case/" TEMPORARY, "");
}

static void a_temporary_file_that_is_a_link_is_not_gone_on_with(void **state)
{
    char digest[65];
    struct upload_past past = interrupt(digest);

    (void)state;
    assert_int_equal(linkat(folderfd, "shop/cart/case/" TEMPORARY, folderfd, "second", 0), 0);
    expect_gone(&past);
}

static void an_earlier_upload_is_removed_by_its_token(void **state)
{
    struct err e;

    (void)state;
    sink->ops->upload_free(begin(NULL));
    make_file("shop/cart/case/.other", "");
    assert_int_equal(sink->ops->abort_token(sink, KEY, ".other", &e), -FAULT_REFUSED);
    assert_int_equal(sink->ops->abort_token(sink, KEY, "../case/.other", &e), -FAULT_REFUSED);
    expect_file("shop/cart/case/.other", "");
    assert_int_equal(sink->ops->abort_token(sink, KEY, TEMPORARY, &e), 0);
    expect_none("shop/cart/case/" TEMPORARY);
    assert_int_equal(sink->ops->abort_token(sink, KEY, TEMPORARY, &e), 0);
    assert_int_equal(sink->ops->abort_token(sink, "no/such/key", TEMPORARY, &e), 0);
}

static void put_replaces_at_once(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(sink->ops->put(sink, &(struct small_object){"a/b.json", "application/json", "{}", 2}, &e), 0);
    assert_int_equal(sink->ops->put(sink, &(struct small_object){"a/b.json", "application/json", "{...}", 5}, &e), 0);
    expect_file("a/b.json", "{...}");
    expect_list("", "a/b.json=5;");
}

static void list_tells_files_below_the_prefix_but_no_hidden_ones(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(sink->ops->put(sink, &(struct small_object){"a/b/c", "", "123", 3}, &e), 0);
    assert_int_equal(mkdirat(folderfd, "empty", 0700), 0);
    assert_int_equal(mkdirat(folderfd, ".hidden", 0700), 0);
    assert_int_equal(mkfifoat(folderfd, "fifo", 0600), 0);
    assert_int_equal(symlinkat("a", folderfd, "link"), 0);
    make_file(".hidden/file", "");
    make_file("a/.secret", "");
    expect_list("", "a/b/c=3;");
    expect_list("a", "a/b/c=3;");
    expect_list("a/", "a/b/c=3;");
    expect_list("a/b", "a/b/c=3;");
    expect_list("empty", "");
    expect_list("no/such", "");
}

static int break_off(void *ctx, const struct sink_listing_entry *entry)
{
    (void)ctx;
    (void)entry;
    return -ECANCELED;
}

static void list_ends_when_told_to(void **state)
{
    struct err e;

    (void)state;
    make_file("a", "");
    make_file("b", "");
    assert_int_equal(sink->ops->list(sink, "", break_off, NULL, &e), -ECANCELED);
}

static void read_begins_at_the_offset_and_tells_the_whole_size(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    uint64_t size = 0;
    struct err e;

    (void)state;
    make_file("object", "0123456789");
    assert_int_equal(
        sink->ops->read(
            sink, &(struct object_reader){.key = "object", .offset = 7, .ret_size = &size, .fn = keep, .ctx = &b}, &e),
        0);
    assert_string_equal(buf_text(&b), "789");
    assert_int_equal(size, 10);
    assert_int_equal(
        sink->ops->read(sink, &(struct object_reader){.key = "object", .offset = 10, .fn = keep, .ctx = &b}, &e), 0);
    assert_int_equal(b.size, 3);
    assert_int_equal(
        sink->ops->read(sink, &(struct object_reader){.key = "object", .offset = 11, .fn = keep, .ctx = &b}, &e),
        -FAULT_REFUSED);
}

static void what_is_no_object_is_said_to_be_none(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct object_info info;
    struct err e;

    (void)state;
    assert_int_equal(mkdirat(folderfd, "folder", 0700), 0);
    assert_int_equal(mkfifoat(folderfd, "fifo", 0600), 0);
    assert_int_equal(sink->ops->stat(sink, "none", &info, &e), -FAULT_NO_OBJECT);
    assert_int_equal(sink->ops->stat(sink, "no/ne", &info, &e), -FAULT_NO_OBJECT);
    assert_int_equal(sink->ops->stat(sink, "folder", &info, &e), -FAULT_NO_OBJECT);
    assert_int_equal(sink->ops->read(sink, &(struct object_reader){.key = "none", .fn = keep, .ctx = &b}, &e),
                     -FAULT_NO_OBJECT);
    assert_int_equal(sink->ops->read(sink, &(struct object_reader){.key = "fifo", .fn = keep, .ctx = &b}, &e),
                     -FAULT_NO_OBJECT);
}

static void nothing_is_written_or_read_outside_of_the_folder(void **state)
{
    static const char *const KEYS[] = {"../escaped", "a/../../escaped", "a/..", "..", "", "a/"};
    struct object_info info;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++) {
        assert_int_equal(sink->ops->put(sink, &(struct small_object){KEYS[i], "", "x", 1}, &e), -FAULT_REFUSED);
        assert_int_equal(sink->ops->stat(sink, KEYS[i], &info, &e), -FAULT_REFUSED);
    }
    assert_int_equal(mkdirat(folderfd, "real", 0700), 0);
    assert_int_equal(symlinkat("real", folderfd, "link"), 0);
    assert_int_equal(sink->ops->put(sink, &(struct small_object){"link/x", "", "x", 1}, &e), -FAULT_REFUSED);
    expect_none("real/x");
    assert_int_equal(symlinkat("real/y", folderfd, "link2"), 0);
    assert_int_equal(sink->ops->put(sink, &(struct small_object){"link2", "", "x", 1}, &e), 0);
    expect_none("real/y");
    expect_file("link2", "x");
}

static void only_the_last_folder_may_be_missing_and_is_made_by_writing(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct sink_config c = config_of("/new");
    struct object_info info;
    struct sink *s = NULL;
    struct err e;

    (void)state;
    assert_int_equal(sink_open(&c, &s, &e), 0);
    assert_int_equal(s->ops->list(s, "", note_key, &b, &e), -FAULT_NO_BUCKET);
    assert_non_null(strstr(e.msg, "/new does not exist"));
    assert_int_equal(s->ops->stat(s, "a", &info, &e), -FAULT_NO_OBJECT);
    expect_none("new");
    assert_int_equal(s->ops->put(s, &(struct small_object){"a", "", "x", 1}, &e), 0);
    expect_file("new/a", "x");
    sink_close(s);

    c = config_of("/far/away");
    s = NULL;
    assert_int_equal(sink_open(&c, &s, &e), -FAULT_NO_BUCKET);
    assert_null(s);
    assert_non_null(strstr(e.msg, "/far/away does not exist"));
}

static void a_folder_that_may_not_be_written_is_denied(void **state)
{
    bool root = geteuid() == 0;
    struct err e;
    int r;

    (void)state;
    /* root may write everywhere, so it steps down for a moment */
    assert_int_equal(fchmod(folderfd, 0555), 0);
    assert_int_equal(root ? seteuid(65534) : 0, 0);
    r = sink->ops->put(sink, &(struct small_object){"a/b", "", "x", 1}, &e);
    assert_int_equal(root ? seteuid(0) : 0, 0);
    assert_int_equal(fchmod(folderfd, 0700), 0);
    assert_int_equal(r, -FAULT_DENIED);
    assert_non_null(strstr(e.msg, "check its owner and mode"));
}

static void a_part_that_fails_goes_back_to_its_owner(void **state)
{
    struct rlimit before, small = {.rlim_cur = 4, .rlim_max = RLIM_INFINITY};
    struct upload *u = begin(NULL);
    struct part p = {.number = 1, .size = 8, .data = (unsigned char *)(uintptr_t) "12345678"};
    struct err e;
    int r;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    r = sink->ops->write(u, &p, &e);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(r, -FAULT_REFUSED);
    assert_int_equal(done_bad, 1);
    assert_int_equal(done_good, 0);
    sink->ops->upload_free(u);
}

static void a_full_disk_is_told_as_such(void **state)
{
    CLEANUP_FD int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    char name[64], target[4200];
    struct upload *u;
    struct err e;
    int fd = -1;

    (void)state;
    if (full < 0)
        skip();
    /* The upload's descriptor is swapped for one that has no room. */
    u = begin(NULL);
    for (int i = 3; i < 64 && fd < 0; i++) {
        snprintf(name, sizeof(name), "/proc/self/fd/%d", i);
        ssize_t n = readlink(name, target, sizeof(target) - 1);
        if (n > 0) {
            target[n] = '\0';
            if (text_ends(target, TEMPORARY))
                fd = i;
        }
    }
    assert_true(fd >= 0);
    assert_int_equal(dup2(full, fd), fd);
    struct part p = {.number = 1, .size = 1, .data = (unsigned char *)(uintptr_t) "1"};
    assert_int_equal(sink->ops->write(u, &p, &e), -FAULT_FULL);
    assert_non_null(strstr(e.msg, "no room left"));
    assert_non_null(strstr(e.msg, "free)"));
    assert_int_equal(done_bad, 1);
    sink->ops->upload_free(u);
}

static void an_object_has_a_url(void **state)
{
    const struct {
        struct url url;
        const char *key, *text;
    } cases[] = {
        {{URL_S3, (char *)"bucket", (char *)"pre/fix"}, "a b/c", "s3://bucket/pre/fix/a b/c"},
        {{URL_S3, (char *)"bucket", (char *)""}, "a", "s3://bucket/a"},
        {{URL_OBS, (char *)"bucket", (char *)"pre"}, "a b", "obs://bucket/pre/a b"},
        {{URL_HTTPS, (char *)"host:8443", (char *)"d%20x"}, "a b/c", "https://host:8443/d%20x/a%20b/c"},
        {{URL_HTTP, (char *)"host", (char *)""}, "a", "http://host/a"},
        {{URL_FILE, (char *)"", (char *)"/my dumps"}, "a b", "file:///my%20dumps/a%20b"},
        {{URL_FILE, (char *)"", (char *)""}, "a", "file:///a"},
        {{URL_FILE, (char *)"", (char *)"/"}, "a", "file:///a"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct sink_config c = {.url = cases[i].url};
        CLEANUP_FREE char *url = sink_object_url(&c, cases[i].key);
        assert_non_null(url);
        assert_string_equal(url, cases[i].text);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_object_appears_whole_and_only_at_commit),
        TEST(pieces_of_one_case_do_not_meet),
        TEST(an_empty_object_is_one_too),
        TEST(damage_behind_our_back_is_found_by_verify),
        TEST(too_few_bytes_are_never_made_visible),
        TEST(abort_leaves_no_file),
        TEST(an_interrupted_upload_goes_on_behind_its_last_part),
        TEST(what_does_not_match_the_journal_is_begun_anew),
        TEST(a_temporary_file_that_is_a_link_is_not_gone_on_with),
        TEST(an_earlier_upload_is_removed_by_its_token),
        TEST(put_replaces_at_once),
        TEST(list_tells_files_below_the_prefix_but_no_hidden_ones),
        TEST(list_ends_when_told_to),
        TEST(read_begins_at_the_offset_and_tells_the_whole_size),
        TEST(what_is_no_object_is_said_to_be_none),
        TEST(nothing_is_written_or_read_outside_of_the_folder),
        TEST(only_the_last_folder_may_be_missing_and_is_made_by_writing),
        TEST(a_folder_that_may_not_be_written_is_denied),
        TEST(a_part_that_fails_goes_back_to_its_owner),
        TEST(a_full_disk_is_told_as_such),
        cmocka_unit_test(an_object_has_a_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
