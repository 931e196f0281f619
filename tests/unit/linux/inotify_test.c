/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens in a watched folder, as the loop hears of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "linux/inotify.h"

static char root[] = "inotify_test.XXXXXX";
static int rootfd, fd, watch;

static const char *const WHAT[] = {
    [INOTIFY_CREATED] = "created",   [INOTIFY_CLOSED] = "closed",
    [INOTIFY_FOLDER] = "folder",     [INOTIFY_FOLDER_REMOVED] = "folder removed",
    [INOTIFY_REMOVED] = "removed",   [INOTIFY_GONE] = "gone",
    [INOTIFY_OVERFLOW] = "overflow",
};

static int set_up(void **state)
{
    (void)state;
    memset(root + sizeof(root) - 7, 'X', 6);
    if (!mkdtemp(root))
        return -1;
    rootfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = inotify_open();
    if (rootfd < 0 || fd < 0)
        return -1;
    watch = inotify_watch_add(fd, root);
    return watch < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(fd);
    close(rootfd);
    return file_remove_tree(AT_FDCWD, root);
}

/* "closed name;" for our watch, "3:closed name;" for another. */
static void note(void *ctx, int w, enum inotify_what what, const char *name)
{
    struct buf *b = ctx;

    if (w != watch && w != -1)
        assert_int_equal(buf_printf(b, "+%d:", w - watch), 0);
    assert_int_equal(buf_printf(b, "%s%s%s;", WHAT[what], *name ? " " : "", name), 0);
}

static void expect(const char *text)
{
    CLEANUP(buf_done) struct buf b = {0};

    assert_int_equal(inotify_read(fd, note, &b), 0);
    assert_string_equal(buf_text(&b), text);
}

static void make(const char *name)
{
    CLEANUP_FD int file = openat(rootfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(file >= 0);
}

static const char *path_of(const char *name)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/%s", root, name);
    return path;
}

static void the_descriptor_neither_blocks_nor_leaks(void **state)
{
    (void)state;
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    expect("");
}

static void a_written_file_is_made_then_closed_then_removed(void **state)
{
    (void)state;
    make("a.hprof");
    expect("created a.hprof;closed a.hprof;");
    assert_int_equal(unlinkat(rootfd, "a.hprof", 0), 0);
    expect("removed a.hprof;");
}

static void reading_is_no_event(void **state)
{
    (void)state;
    make("a");
    expect("created a;closed a;");
    close(openat(rootfd, "a", O_RDONLY | O_CLOEXEC));
    expect("");
}

static void a_file_moved_in_is_made_and_closed(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(rootfd, "sub", 0700), 0);
    make("sub/x");
    expect("folder sub;");
    assert_int_equal(renameat(rootfd, "sub/x", rootfd, "y"), 0);
    expect("created y;closed y;");
    assert_int_equal(renameat(rootfd, "y", rootfd, "sub/z"), 0);
    expect("removed y;");
}

static void names_may_hold_any_byte(void **state)
{
    static const char NAME[] = "a b\n\xff\xfe\"'\xc3\xa9";
    char longest[256], text[600];

    (void)state;
    make(NAME);
    snprintf(text, sizeof(text), "created %s;closed %s;", NAME, NAME);
    expect(text);

    memset(longest, 'n', 255);
    longest[255] = '\0';
    make(longest);
    snprintf(text, sizeof(text), "created %s;closed %s;", longest, longest);
    expect(text);
}

static void a_deleted_folder_ends_its_watch_once(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(rootfd, "sub", 0700), 0);
    int sub = inotify_watch_add(fd, path_of("sub"));
    assert_int_equal(sub, watch + 1);
    assert_int_equal(unlinkat(rootfd, "sub", AT_REMOVEDIR), 0);
    expect("folder sub;+1:gone;folder removed sub;");
}

static void a_moved_folder_ends_its_watch_and_is_found_anew(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(rootfd, "sub", 0700), 0);
    assert_int_equal(inotify_watch_add(fd, path_of("sub")), watch + 1);
    assert_int_equal(renameat(rootfd, "sub", rootfd, "dub"), 0);
    expect("folder sub;folder removed sub;folder dub;+1:gone;");
    make("dub/x");
    expect("");
}

/* The order a recursive watcher meets: it adds the new name before it has read of the old one's end. */
static void adding_a_moved_folder_early_does_not_lose_it(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(rootfd, "sub", 0700), 0);
    assert_int_equal(inotify_watch_add(fd, path_of("sub")), watch + 1);
    assert_int_equal(renameat(rootfd, "sub", rootfd, "dub"), 0);
    assert_int_equal(inotify_watch_add(fd, path_of("dub")), watch + 2);
    expect("folder sub;folder removed sub;folder dub;+1:gone;");
    make("dub/x");
    expect("+2:created x;+2:closed x;");
}

static void a_removed_watch_says_no_more(void **state)
{
    (void)state;
    inotify_watch_remove(fd, watch);
    make("x");
    expect("gone;");
}

static void only_real_folders_are_watched(void **state)
{
    (void)state;
    make("file");
    assert_int_equal(symlinkat(".", rootfd, "link"), 0);
    assert_int_equal(inotify_watch_add(fd, path_of("file")), -ENOTDIR);
    assert_int_equal(inotify_watch_add(fd, path_of("link")), -ENOTDIR);
    assert_int_equal(inotify_watch_add(fd, path_of("none")), -ENOENT);
}

static void lost_events_are_told(void **state)
{
    CLEANUP(buf_done) struct buf b = {0}, limit = {.ceiling = 64};
    char name[32];

    (void)state;
    if (file_load(AT_FDCWD, "/proc/sys/fs/inotify/max_queued_events", &limit) < 0 || atol(buf_text(&limit)) > 100000)
        skip();
    for (long i = 0, end = atol(buf_text(&limit)); i <= end; i++) {
        snprintf(name, sizeof(name), "%ld", i % 2);
        make(name);
    }
    assert_int_equal(inotify_read(fd, note, &b), 0);
    assert_true(b.size > strlen("overflow;"));
    assert_string_equal(b.data + b.size - strlen("overflow;"), "overflow;");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_descriptor_neither_blocks_nor_leaks),
        TEST(a_written_file_is_made_then_closed_then_removed),
        TEST(reading_is_no_event),
        TEST(a_file_moved_in_is_made_and_closed),
        TEST(names_may_hold_any_byte),
        TEST(a_deleted_folder_ends_its_watch_once),
        TEST(a_moved_folder_ends_its_watch_and_is_found_anew),
        TEST(adding_a_moved_folder_early_does_not_lose_it),
        TEST(a_removed_watch_says_no_more),
        TEST(only_real_folders_are_watched),
        TEST(lost_events_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
