/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and writing finish what they began; replacing shows the old or the new file and leaves nothing behind;
 * removing stays inside its folder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

static char root[64];
static int rootfd = -1;

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), "/tmp/salvage-file-test.XXXXXX");
    if (!mkdtemp(root))
        return -1;
    rootfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return rootfd < 0 ? -1 : 0;
}

static int remove_root(void **state)
{
    (void)state;
    close(rootfd);
    return file_remove_tree(AT_FDCWD, root);
}

static void put(const char *path, const char *text)
{
    CLEANUP_FD int fd = openat(rootfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, text, strlen(text)), 0);
}

static void expect_text(const char *path, const char *text)
{
    CLEANUP(buf_done) struct buf b = {0};

    assert_int_equal(file_load(rootfd, path, &b), 0);
    assert_string_equal(buf_text(&b), text);
}

static int count_entries(const char *path)
{
    int fd = openat(rootfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
    DIR *d = fdopendir(fd);

    assert_non_null(d);
    while (readdir(d))
        count++;
    closedir(d);
    return count - 2;
}

static void ignore_signal(int number)
{
    (void)number;
}

/* Writes in small bites with pauses, and a signal to the reader between them. */
struct dripper {
    int fd;
    pthread_t reader;
};

static void *drip(void *ctx)
{
    struct dripper *d = ctx;

    for (int i = 0; i < 5; i++) {
        clock_sleep_ms(5);
        pthread_kill(d->reader, SIGUSR1);
        clock_sleep_ms(5);
        if (write(d->fd, "abc", 3) != 3)
            break;
    }
    close(d->fd);
    return NULL;
}

static void reading_goes_on_after_short_counts_and_signals(void **state)
{
    struct sigaction action = {.sa_handler = ignore_signal}, old; /* no SA_RESTART: EINTR */
    struct dripper d = {.reader = pthread_self()};
    pthread_t thread;
    char data[16] = "";
    int ends[2];

    (void)state;
    assert_int_equal(sigaction(SIGUSR1, &action, &old), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    d.fd = ends[1];
    assert_int_equal(pthread_create(&thread, NULL, drip, &d), 0);
    assert_int_equal(file_read(ends[0], data, 13), 13);
    assert_string_equal(data, "abcabcabcabca");
    assert_int_equal(file_read(ends[0], data, 13), 2);
    assert_int_equal(file_read(ends[0], data, 13), 0);
    pthread_join(thread, NULL);
    close(ends[0]);
    sigaction(SIGUSR1, &old, NULL);
}

static void *swallow(void *ctx)
{
    const int *fd = ctx;
    char data[1000];
    size_t sum = 0;
    ssize_t n;

    while ((n = read(*fd, data, sizeof(data))) > 0)
        sum += (size_t)n;
    return (void *)sum;
}

static void writing_goes_on_when_a_pipe_is_full(void **state)
{
    enum { SIZE = 1 << 20 };
    CLEANUP_FREE char *data = calloc(1, SIZE);
    void *sum = NULL;
    pthread_t thread;
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(pthread_create(&thread, NULL, swallow, &ends[0]), 0);
    assert_int_equal(file_write(ends[1], data, SIZE), 0);
    close(ends[1]);
    pthread_join(thread, &sum);
    assert_int_equal((size_t)sum, SIZE);
    close(ends[0]);
}

static void pread_knows_the_files_end(void **state)
{
    CLEANUP_FD int fd = -1;
    char data[8] = "";

    (void)state;
    put("f", "0123456789");
    fd = openat(rootfd, "f", O_RDONLY | O_CLOEXEC);
    assert_int_equal(file_pread(fd, data, 4, 3), 4);
    assert_memory_equal(data, "3456", 4);
    assert_int_equal(file_pread(fd, data, 8, 7), 3);
    assert_memory_equal(data, "789", 3);
    assert_int_equal(file_pread(fd, data, 8, 10), 0);
    assert_int_equal(file_pread(fd, data, 8, 1 << 20), 0);
    assert_int_equal(file_pread(fd, data, 8, UINT64_MAX), -EINVAL);
    assert_int_equal(file_pread(fd, data, 8, INT64_MAX), -EINVAL);
    assert_int_equal(file_pread(-1, data, 8, 0), -EBADF);
    assert_int_equal(file_read(-1, data, 8), -EBADF);
    assert_int_equal(file_write(fd, data, 1), -EBADF);
}

static void loading_appends(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    put("f", "world");
    assert_int_equal(buf_add_text(&b, "hello "), 0);
    assert_int_equal(file_load(rootfd, "f", &b), 0);
    assert_string_equal(buf_text(&b), "hello world");
    put("f", "");
    assert_int_equal(file_load(rootfd, "f", &b), 0);
    assert_string_equal(buf_text(&b), "hello world");
}

static void loading_too_much_changes_nothing(void **state)
{
    enum { SIZE = 40000 }; /* more than one step */
    CLEANUP(buf_done) struct buf b = {.ceiling = SIZE - 1}, exact = {.ceiling = SIZE};
    CLEANUP_FREE char *text = calloc(1, SIZE + 1);

    (void)state;
    memset(text, 'x', SIZE);
    put("f", text);
    assert_int_equal(file_load(rootfd, "f", &b), -EMSGSIZE);
    assert_int_equal(b.size, 0);
    assert_string_equal(buf_text(&b), "");
    assert_int_equal(file_load(rootfd, "f", &exact), 0);
    assert_int_equal(exact.size, SIZE);
    assert_int_equal(file_load(rootfd, "nothing", &exact), -ENOENT);
    assert_int_equal(file_load(rootfd, ".", &exact), -EISDIR);
    assert_int_equal(exact.size, SIZE);
}

static void replacing_makes_and_replaces(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(mkdirat(rootfd, "d", 0700), 0);
    assert_int_equal(file_replace(rootfd, "d/f", "one", 3, 0600), 0);
    expect_text("d/f", "one");
    assert_int_equal(fstatat(rootfd, "d/f", &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    assert_int_equal(file_replace(rootfd, "d/f", "two!", 4, 0600), 0);
    expect_text("d/f", "two!");
    assert_int_equal(file_replace(rootfd, "d/f", "", 0, 0600), 0);
    expect_text("d/f", "");
    assert_int_equal(count_entries("d"), 1);
    assert_int_equal(file_replace(rootfd, "top", "x", 1, 0600), 0);
    expect_text("top", "x");
}

static void a_name_of_255_bytes_can_be_replaced(void **state)
{
    char name[256] = "";

    (void)state;
    memset(name, 'n', 255);
    assert_int_equal(file_replace(rootfd, name, "x", 1, 0600), 0);
    expect_text(name, "x");
}

static void an_absolute_path_is_taken_as_such(void **state)
{
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/absolute", root);
    assert_int_equal(file_replace(-1, path, "x", 1, 0600), 0);
    expect_text("absolute", "x");
}

static void replacing_replaces_a_link_and_not_what_it_shows(void **state)
{
    struct stat st;

    (void)state;
    put("target", "old");
    assert_int_equal(symlinkat("target", rootfd, "link"), 0);
    assert_int_equal(file_replace(rootfd, "link", "new", 3, 0600), 0);
    expect_text("target", "old");
    assert_int_equal(fstatat(rootfd, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(S_ISREG(st.st_mode));
}

static void a_failed_replacement_leaves_nothing_behind(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(rootfd, "folder", 0700), 0);
    assert_int_equal(file_replace(rootfd, "folder", "x", 1, 0600), -EISDIR);
    assert_int_equal(file_replace(rootfd, "missing/f", "x", 1, 0600), -ENOENT);
    assert_int_equal(file_replace(rootfd, "", "x", 1, 0600), -ENOENT);
    assert_int_equal(file_replace(rootfd, "folder/", "x", 1, 0600), -EISDIR);
    put("file", "x");
    assert_int_equal(file_replace(rootfd, "file/f", "x", 1, 0600), -ENOTDIR);
    assert_int_equal(count_entries("."), 2);
}

/* A file size limit stands for the full disk: the write fails in the middle. */
static void a_full_disk_leaves_the_old_file(void **state)
{
    static char much[64 * 1024];
    struct rlimit limit, old;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old_action;
    int r;

    (void)state;
    put("f", "old");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(sigaction(SIGXFSZ, &ignore, &old_action), 0);
    limit = (struct rlimit){.rlim_cur = 4096, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    r = file_replace(rootfd, "f", much, sizeof(much), 0600);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    sigaction(SIGXFSZ, &old_action, NULL);
    assert_int_equal(r, -EFBIG);
    expect_text("f", "old");
    assert_int_equal(count_entries("."), 1);
}

static atomic_bool readers_end;

/* Returns how often it saw something that is neither all a nor all b. */
static void *read_all_the_time(void *ctx)
{
    size_t bad = 0;

    (void)ctx;
    while (!readers_end) {
        CLEANUP(buf_done) struct buf b = {0};

        if (file_load(rootfd, "f", &b) < 0 || b.size != 30000 || strspn(b.data, (char[]){b.data[0], 0}) != 30000)
            bad++;
    }
    return (void *)bad;
}

static void a_reader_sees_the_old_or_the_new_file(void **state)
{
    CLEANUP_FREE char *a = malloc(30000), *b = malloc(30000);
    pthread_t reader;
    void *bad = NULL;

    (void)state;
    memset(a, 'a', 30000);
    memset(b, 'b', 30000);
    readers_end = false;
    assert_int_equal(file_replace(rootfd, "f", a, 30000, 0600), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_all_the_time, NULL), 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(file_replace(rootfd, "f", i % 2 ? a : b, 30000, 0600), 0);
    readers_end = true;
    pthread_join(reader, &bad);
    assert_int_equal((size_t)bad, 0);
    assert_int_equal(count_entries("."), 1);
}

static void folders_are_made_with_their_parents(void **state)
{
    char path[128];
    struct stat st;

    (void)state;
    assert_int_equal(file_mkdirs(rootfd, "a/b/c", 0700), 0);
    assert_int_equal(fstatat(rootfd, "a/b/c", &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0700);
    assert_int_equal(file_mkdirs(rootfd, "a/b/c", 0750), 0);
    assert_int_equal(fstatat(rootfd, "a/b/c", &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0700);
    assert_int_equal(file_mkdirs(rootfd, "a//b/./d/", 0700), 0);
    assert_int_equal(fstatat(rootfd, "a/b/d", &st, 0), 0);
    snprintf(path, sizeof(path), "%s/x/y", root);
    assert_int_equal(file_mkdirs(-1, path, 0700), 0);
    assert_int_equal(fstatat(rootfd, "x/y", &st, 0), 0);
    assert_int_equal(file_mkdirs(rootfd, "/", 0700), 0);
    assert_int_equal(file_mkdirs(rootfd, "", 0700), -ENOENT);
}

static void a_file_in_the_way_is_no_folder(void **state)
{
    (void)state;
    put("file", "x");
    assert_int_equal(file_mkdirs(rootfd, "file", 0700), -ENOTDIR);
    assert_int_equal(file_mkdirs(rootfd, "file/below", 0700), -ENOTDIR);
    assert_int_equal(symlinkat("nowhere", rootfd, "dangling"), 0);
    assert_int_equal(file_mkdirs(rootfd, "dangling", 0700), -ENOENT);
    assert_int_equal(mkdirat(rootfd, "folder", 0700), 0);
    assert_int_equal(symlinkat("folder", rootfd, "link"), 0);
    assert_int_equal(file_mkdirs(rootfd, "link/below", 0700), 0);
}

static void a_folder_can_be_synced(void **state)
{
    CLEANUP_FD int path = openat(rootfd, ".", O_PATH | O_CLOEXEC), proc = open("/proc", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(file_fsync_folder(rootfd), 0);
    assert_int_equal(file_fsync_folder(path), -EBADF);
    assert_int_equal(fsync(proc), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(file_fsync_folder(proc), 0); /* a file system without fsync */
}

static void a_tree_goes_with_all_that_is_in_it(void **state)
{
    (void)state;
    assert_int_equal(file_mkdirs(rootfd, "t/a/b/c", 0700), 0);
    assert_int_equal(file_mkdirs(rootfd, "t/d", 0700), 0);
    put("t/f", "x");
    put("t/a/b/.hidden", "x");
    assert_int_equal(mkfifoat(rootfd, "t/a/fifo", 0600), 0);
    put("kept", "x");
    assert_int_equal(file_remove_tree(rootfd, "t"), 0);
    assert_int_equal(count_entries("."), 1);
    assert_int_equal(file_remove_tree(rootfd, "t"), 0); /* gone is done */
    assert_int_equal(file_remove_tree(rootfd, "t/a"), 0);
}

static void removing_never_follows_links(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(rootfd, "outside", 0700), 0);
    put("outside/f", "x");
    assert_int_equal(mkdirat(rootfd, "t", 0700), 0);
    assert_int_equal(symlinkat("../outside", rootfd, "t/link"), 0);
    assert_int_equal(symlinkat("../outside/f", rootfd, "t/filelink"), 0);
    assert_int_equal(file_remove_tree(rootfd, "t"), 0);
    expect_text("outside/f", "x");
    assert_int_equal(symlinkat("outside", rootfd, "top"), 0);
    assert_int_equal(file_remove_tree(rootfd, "top"), -ENOTDIR);
    assert_int_equal(file_remove_tree(rootfd, "top/"), -ENOTDIR);
    expect_text("outside/f", "x");
    assert_int_equal(file_remove_tree(rootfd, "outside/f"), -ENOTDIR);
    expect_text("outside/f", "x");
}

static void an_absurdly_deep_tree_is_refused(void **state)
{
    CLEANUP(buf_done) struct buf path = {0};

    (void)state;
    assert_int_equal(buf_add_text(&path, "t"), 0);
    for (int i = 0; i < 40; i++)
        assert_int_equal(buf_add_text(&path, "/d"), 0);
    assert_int_equal(file_mkdirs(rootfd, buf_text(&path), 0700), 0);
    assert_int_equal(file_remove_tree(rootfd, "t"), -ELOOP);
    /* In two bites it goes. */
    assert_int_equal(file_remove_tree(rootfd, "t/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d"), 0);
    assert_int_equal(file_remove_tree(rootfd, "t"), 0);
}

static void descriptors_are_all_given_back(void **state)
{
    CLEANUP_FD int before = -1, after = -1;
    char path[128];

    (void)state;
    before = open("/dev/null", O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "%s/a/b/c", root);
    for (int i = 0; i < 3; i++) {
        CLEANUP(buf_done) struct buf b = {0};

        assert_int_equal(file_mkdirs(rootfd, "a/b/c", 0700), 0);
        assert_int_equal(file_replace(rootfd, "a/b/c/f", "x", 1, 0600), 0);
        assert_int_equal(file_replace(rootfd, "a/b", "x", 1, 0600), -EISDIR);
        assert_int_equal(file_load(rootfd, "a/b/c/f", &b), 0);
        assert_int_equal(file_remove_tree(rootfd, "a"), 0);
    }
    after = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(after, before + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_goes_on_after_short_counts_and_signals),
        cmocka_unit_test(writing_goes_on_when_a_pipe_is_full),
        TEST(pread_knows_the_files_end),
        TEST(loading_appends),
        TEST(loading_too_much_changes_nothing),
        TEST(replacing_makes_and_replaces),
        TEST(a_name_of_255_bytes_can_be_replaced),
        TEST(an_absolute_path_is_taken_as_such),
        TEST(replacing_replaces_a_link_and_not_what_it_shows),
        TEST(a_failed_replacement_leaves_nothing_behind),
        TEST(a_full_disk_leaves_the_old_file),
        TEST(a_reader_sees_the_old_or_the_new_file),
        TEST(folders_are_made_with_their_parents),
        TEST(a_file_in_the_way_is_no_folder),
        TEST(a_folder_can_be_synced),
        TEST(a_tree_goes_with_all_that_is_in_it),
        TEST(removing_never_follows_links),
        TEST(an_absurdly_deep_tree_is_refused),
        TEST(descriptors_are_all_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
