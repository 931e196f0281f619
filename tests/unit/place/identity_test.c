/* SPDX-License-Identifier: Apache-2.0
 *
 * An id stays with its file over renames and writes, and no two files share one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "place/identity.h"

static char folder[] = "identity_test.XXXXXX";
static int dirfd_;

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    dirfd_ = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dirfd_ < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(dirfd_);
    return file_remove_tree(AT_FDCWD, folder);
}

static int make(const char *name, const char *text)
{
    int fd = openat(dirfd_, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static void tells_what_the_kernel_knows(void **state)
{
    CLEANUP_FD int fd = make("facts", "seven b");
    struct identity i;
    struct stat s;

    (void)state;
    assert_int_equal(fchmod(fd, 0640), 0);
    assert_int_equal(identity_get(fd, "m", &i), 0);
    assert_int_equal(fstat(fd, &s), 0);
    assert_int_equal(i.dev, s.st_dev);
    assert_int_equal(i.ino, s.st_ino);
    assert_int_equal(i.size, 7);
    assert_int_equal(i.uid, getuid());
    assert_int_equal(i.mode, S_IFREG | 0640);
    assert_int_equal(i.mtime_ns, s.st_mtim.tv_sec * INT64_C(1000000000) + s.st_mtim.tv_nsec);
    assert_int_equal(i.ctime_ns, s.st_ctim.tv_sec * INT64_C(1000000000) + s.st_ctim.tv_nsec);
    assert_int_equal(i.by_birth, i.birth_ns != 0);
    assert_int_equal(strlen(i.id), 16);
    assert_int_equal(strspn(i.id, "0123456789abcdef"), 16);
}

/* Ids are in stores for years: the text they are made from must not change. */
static void is_the_digest_of_a_fixed_text(void **state)
{
    CLEANUP_FD int fd = make("form", "text");
    char text[512], id[17];
    XXH64_canonical_t digest;
    struct identity i;
    int size;

    (void)state;
    assert_int_equal(identity_get(fd, "machine-7", &i), 0);
    if (i.by_birth)
        size = snprintf(text, sizeof(text),
                        "salvage.id/1\nmachine machine-7\ndev %u:%u\nino %" PRIu64 "\nbirth %" PRId64 "\n",
                        major(i.dev), minor(i.dev), i.ino, i.birth_ns);
    else
        size = snprintf(text, sizeof(text),
                        "salvage.id/1\nmachine machine-7\ndev %u:%u\nino %" PRIu64 "\nmtime %" PRId64 "\nsize 4\n",
                        major(i.dev), minor(i.dev), i.ino, i.mtime_ns);
    XXH64_canonicalFromHash(&digest, XXH3_64bits(text, (size_t)size));
    text_hex(digest.digest, 8, id);
    assert_string_equal(i.id, id);
}

static void the_id_outlives_rename_and_reopening(void **state)
{
    CLEANUP_FD int fd = make("before", "x");
    CLEANUP_FD int again = -1;
    struct identity a, b;

    (void)state;
    assert_int_equal(identity_get(fd, "m", &a), 0);
    assert_int_equal(renameat(dirfd_, "before", dirfd_, "after"), 0);
    again = openat(dirfd_, "after", O_PATH | O_CLOEXEC);
    assert_int_equal(identity_get(again, "m", &b), 0);
    assert_string_equal(a.id, b.id);
    assert_true(identity_unchanged(&a, &b));
}

static void writing_changes_the_file_but_not_an_id_by_birth(void **state)
{
    CLEANUP_FD int fd = make("grows", "x");
    struct identity a, b;

    (void)state;
    assert_int_equal(identity_get(fd, "m", &a), 0);
    assert_int_equal(write(fd, "y", 1), 1);
    assert_int_equal(identity_get(fd, "m", &b), 0);
    assert_false(identity_unchanged(&a, &b));
    if (a.by_birth)
        assert_string_equal(a.id, b.id);
    else
        assert_string_not_equal(a.id, b.id);
}

static void a_write_of_the_same_size_is_seen_by_its_time(void **state)
{
    CLEANUP_FD int fd = make("rewritten", "x");
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000, .tv_nsec = 1}};
    struct identity a, b;

    (void)state;
    assert_int_equal(identity_get(fd, "m", &a), 0);
    assert_int_equal(futimens(fd, times), 0);
    assert_int_equal(identity_get(fd, "m", &b), 0);
    assert_false(identity_unchanged(&a, &b));
    assert_int_equal(b.mtime_ns, INT64_C(1000000000001));
}

static void files_and_machines_have_ids_of_their_own(void **state)
{
    CLEANUP_FD int one = make("one", "same");
    CLEANUP_FD int two = make("two", "same");
    struct identity a, b, c;

    (void)state;
    assert_int_equal(identity_get(one, "m", &a), 0);
    assert_int_equal(identity_get(two, "m", &b), 0);
    assert_int_equal(identity_get(one, "n", &c), 0);
    assert_string_not_equal(a.id, b.id);
    assert_string_not_equal(a.id, c.id);
    assert_false(identity_unchanged(&a, &b));
}

static void a_bad_descriptor_leaves_the_output_alone(void **state)
{
    struct identity i = {.id = "mine"};

    (void)state;
    assert_int_equal(identity_get(-1, "m", &i), -EBADF);
    assert_string_equal(i.id, "mine");
}

static void every_stream_has_an_id_of_its_own(void **state)
{
    char id[6][IDENTITY_MAX];

    (void)state;
    assert_int_equal(identity_of_stream("m", 17, 5, 9, id[0]), 0);
    assert_int_equal(identity_of_stream("n", 17, 5, 9, id[1]), 0);
    assert_int_equal(identity_of_stream("m", 18, 5, 9, id[2]), 0);
    assert_int_equal(identity_of_stream("m", 17, 6, 9, id[3]), 0);
    assert_int_equal(identity_of_stream("m", 17, 5, 10, id[4]), 0);
    assert_int_equal(identity_of_stream("m", 17, 5, 9, id[5]), 0);
    assert_int_equal(strspn(id[0], "0123456789abcdef"), IDENTITY_MAX - 1);
    assert_string_equal(id[0], id[5]);
    for (int i = 0; i < 5; i++)
        for (int k = i + 1; k < 5; k++)
            assert_string_not_equal(id[i], id[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_the_kernel_knows),
        cmocka_unit_test(is_the_digest_of_a_fixed_text),
        cmocka_unit_test(the_id_outlives_rename_and_reopening),
        cmocka_unit_test(writing_changes_the_file_but_not_an_id_by_birth),
        cmocka_unit_test(a_write_of_the_same_size_is_seen_by_its_time),
        cmocka_unit_test(files_and_machines_have_ids_of_their_own),
        cmocka_unit_test(every_stream_has_an_id_of_its_own),
        cmocka_unit_test(a_bad_descriptor_leaves_the_output_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
