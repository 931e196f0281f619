/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes as /proc shows them: this one, children of it, and made up ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/proc.h"

static char root[] = "/tmp/proc_test-XXXXXX";

/* root/PID/file with text in it. */
static void write_file(int pid, const char *file, const char *text, size_t size)
{
    char path[PATH_MAX];
    CLEANUP_FD int fd = -1;

    snprintf(path, sizeof(path), "%s/%d", root, pid);
    assert_int_equal(file_mkdirs(AT_FDCWD, path, 0700), 0);
    snprintf(path, sizeof(path), "%s/%d/%s", root, pid, file);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, text, size), 0);
}

static void this_process_is_as_it_knows_itself(void **state)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    CLEANUP(proc_words_done) struct proc_words words = {0};
    struct proc_status s;
    int64_t started, now = clock_wall_ns();

    (void)state;
    signal(SIGUSR2, SIG_IGN);
    assert_int_equal(proc_open("/proc", getpid(), &p), 0);
    assert_true(proc_is_alive(&p));
    assert_int_equal(proc_status(&p, &s), 0);
    assert_int_equal(s.uid, geteuid());
    assert_int_equal(s.gid, getegid());
    assert_int_equal(s.inner_pid, getpid());
    assert_true(s.ignored & UINT64_C(1) << (SIGUSR2 - 1));
    assert_false(s.caught & UINT64_C(1) << (SIGUSR2 - 1));
    assert_int_equal(proc_started(&p, &started), 0);
    assert_true(started <= now + 20000000 && started > now - INT64_C(600000000000));
    assert_int_equal(proc_words(&p, "cmdline", &words), 0);
    assert_int_equal(words.count, 1);
    assert_non_null(strstr(words.word[0], "proc_test"));
    assert_null(words.word[1]);
}

static void a_process_that_is_gone_stays_gone(void **state)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE, other = PROC_NONE;
    struct proc_status s;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        pause();
        _exit(0);
    }
    assert_int_equal(proc_open("/proc", child, &p), 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_false(proc_is_alive(&p));
    assert_int_equal(proc_status(&p, &s), -ESRCH);
    assert_int_equal(proc_open("/proc", child, &other), -ESRCH);
    assert_int_equal(proc_open("/proc", 0, &other), -ESRCH);
    assert_int_equal(proc_open("/nowhere", 1, &other), -ENOSYS);
    assert_int_equal(other.fd, -1);
}

static void a_process_in_a_container_knows_itself_by_another_number(void **state)
{
    static const char text[] = "Name:\tjava\nState:\tT (stopped)\nUid:\t1\t65532\t1\t1\nGid:\t0\t7\t0\t0\n"
                               "NSpid:\t4711\t23\t1\nSigIgn:\t0000000000000001\nSigCgt:\t0000000181005ccf\n";
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    struct proc_status s;

    (void)state;
    write_file(4711, "status", text, sizeof(text) - 1);
    assert_int_equal(proc_open(root, 4711, &p), 0);
    assert_int_equal(proc_status(&p, &s), 0);
    assert_int_equal(s.uid, 65532);
    assert_int_equal(s.gid, 7);
    assert_int_equal(s.inner_pid, 1);
    assert_int_equal(s.caught, 0x181005ccf);
    assert_int_equal(s.ignored, 1);
    assert_int_equal(s.state, 'T');
    write_file(4711, "status", "nonsense\n", 9);
    assert_int_equal(proc_status(&p, &s), -EBADMSG);
    write_file(4711, "status", "Uid:\t1\nGid:\t1\t1\n", 17);
    assert_int_equal(proc_status(&p, &s), -EBADMSG);
}

static void words_may_be_empty_and_the_last_may_have_no_end(void **state)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    CLEANUP(proc_words_done) struct proc_words words = {0}, none = {0};

    (void)state;
    write_file(5, "environ", "A=1\0\0AB=x=y\0B", 14);
    write_file(5, "cmdline", "", 0);
    assert_int_equal(proc_open(root, 5, &p), 0);
    assert_int_equal(proc_words(&p, "environ", &words), 0);
    assert_int_equal(words.count, 4);
    assert_string_equal(words.word[3], "B");
    assert_string_equal(proc_variable(&words, "A"), "1");
    assert_string_equal(proc_variable(&words, "AB"), "x=y");
    assert_null(proc_variable(&words, "B"));
    assert_int_equal(proc_words(&p, "cmdline", &none), 0);
    assert_int_equal(none.count, 0);
    assert_null(none.word[0]);
}

static void a_name_with_brackets_does_not_move_the_start(void **state)
{
    static const char text[] = "7 (a) b) 1 2) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 100 20 21\n";
    static const char young[] = "7 (java) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 18446744073709551615 20\n";
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    int64_t one, two;
    struct timespec boot;

    (void)state;
    write_file(7, "stat", text, sizeof(text) - 1);
    assert_int_equal(proc_open(root, 7, &p), 0);
    assert_int_equal(proc_started(&p, &one), 0);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    two = clock_wall_ns() - boot.tv_sec * INT64_C(1000000000) - boot.tv_nsec;
    assert_true(llabs(one - two - INT64_C(1000000000)) < 500000000);
    write_file(7, "stat", young, sizeof(young) - 1);
    assert_int_equal(proc_started(&p, &one), -ENODATA);
    write_file(7, "stat", "7 (java", 7);
    assert_int_equal(proc_started(&p, &one), -ENODATA);
    write_file(7, "stat", "7 (java) S 1", 12);
    assert_int_equal(proc_started(&p, &one), -ENODATA);
}

static void files_are_found_as_the_process_sees_them(void **state)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    CLEANUP_FREE char *path = NULL, *absolute = NULL, *libc = NULL, *none = NULL;
    CLEANUP_FD int fd = -1;
    char expected[PATH_MAX];

    (void)state;
    assert_int_equal(chdir(root), 0);
    assert_int_equal(proc_open("/proc", getpid(), &p), 0);
    assert_int_equal(proc_path(&p, "x", &path), 0);
    snprintf(expected, sizeof(expected), "%s/x", root);
    assert_string_equal(path, expected);
    assert_int_equal(proc_path(&p, "/a/b", &absolute), 0);
    assert_string_equal(absolute, "/a/b");
    fd = proc_openat(&p, "made", O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(access("made", F_OK), 0);
    assert_int_equal(proc_openat(&p, "/nowhere/at/all", O_RDONLY, 0), -ENOENT);
    assert_int_equal(proc_mapped(&p, "libc.so.6", &libc), 0);
    assert_int_equal(libc[0], '/');
    assert_int_equal(proc_mapped(&p, "c.so.6", &none), -ENOENT);
}

/* A folder stands for a container's root: its links lead nowhere else. */
static void a_link_in_another_root_does_not_lead_out_of_it(void **state)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    CLEANUP_FREE char *path = NULL;
    CLEANUP_FD int fd = -1;
    char inner[PATH_MAX], link[PATH_MAX];

    (void)state;
    write_file(9, "status", "", 0);
    snprintf(inner, sizeof(inner), "%s/container/tmp", root);
    assert_int_equal(file_mkdirs(AT_FDCWD, inner, 0700), 0);
    snprintf(link, sizeof(link), "%s/9/root", root);
    snprintf(inner, sizeof(inner), "%s/container", root);
    assert_int_equal(symlink(inner, link), 0);
    snprintf(link, sizeof(link), "%s/9/cwd", root);
    assert_int_equal(symlink("/tmp", link), 0);
    snprintf(link, sizeof(link), "%s/container/tmp/passwd", root);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    snprintf(link, sizeof(link), "%s/container/tmp/inside", root);
    assert_int_equal(symlink("/tmp/there", link), 0);
    snprintf(link, sizeof(link), "%s/container/tmp/there", root);
    assert_true((fd = open(link, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) >= 0);
    assert_int_equal(proc_open(root, 9, &p), 0);
    assert_int_equal(proc_openat(&p, "/tmp/passwd", O_RDONLY, 0), -ENOENT);
    assert_int_equal(proc_openat(&p, "/../../etc/passwd", O_RDONLY, 0), -ENOENT);
    close(fd);
    fd = proc_openat(&p, "/tmp/inside", O_RDONLY, 0);
    assert_true(fd >= 0);
    assert_int_equal(proc_path(&p, "x.hprof", &path), 0);
    assert_string_equal(path, "/proc/9/root/tmp/x.hprof");
}

struct mapped {
    const char *wanted; /* the end of a path */
    char seen[4096], range[64];
    bool deleted;
};

static int find_mapping(void *ctx, const struct proc_mapping *m)
{
    struct mapped *f = ctx;
    size_t used = strlen(f->seen);

    snprintf(f->seen + used, sizeof(f->seen) - used, "%s|", m->path);
    if (!text_ends(m->path, f->wanted))
        return 0;
    snprintf(f->range, sizeof(f->range), "%s", m->range);
    f->deleted = m->deleted;
    return 7;
}

static void mappings_are_those_of_files(void **state)
{
    static const char maps[] = "00400000-0040b000 r-xp 00000000 fd:01 1     /bin/a b\n"
                               "7f00-7f01 rw-p 00000000 00:00 0 \n7f01-7f02 rw-p 00000000 00:00 0    [heap]\n"
                               "7f03-7f04 rw-s 00000000 00:10 9   /tmp/gone (deleted)\n7f05-7f06 r--p 0 0 1 /x\n"
                               "7f07-7f08 r--p 0 0 1 /cut";
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    struct mapped all = {.wanted = "nowhere"}, gone = {.wanted = "/gone"}, first = {.wanted = "b"};

    (void)state;
    write_file(11, "maps", maps, sizeof(maps) - 1);
    assert_int_equal(proc_open(root, 11, &p), 0);
    assert_int_equal(proc_each_mapping(&p, find_mapping, &all), 0);
    assert_string_equal(all.seen, "/bin/a b|/tmp/gone|/x|");
    assert_int_equal(proc_each_mapping(&p, find_mapping, &gone), 7);
    assert_string_equal(gone.range, "7f03-7f04");
    assert_true(gone.deleted);
    assert_int_equal(proc_each_mapping(&p, find_mapping, &first), 7);
    assert_string_equal(first.range, "00400000-0040b000");
    assert_false(first.deleted);
    write_file(11, "maps", "", 0);
    assert_int_equal(proc_each_mapping(&p, find_mapping, &all), 0);
}

static void a_mapped_file_is_opened_by_where_it_is_mapped(void **state)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    CLEANUP_FREE char *path = NULL;
    struct mapped libc = {.wanted = "/libc.so.6"};
    struct stat named, mapped;
    int fd;

    (void)state;
    assert_int_equal(proc_open("/proc", getpid(), &p), 0);
    assert_int_equal(proc_each_mapping(&p, find_mapping, &libc), 7);
    fd = proc_open_mapping(&p, libc.range, O_RDONLY);
    if (fd == -EPERM || fd == -EACCES) /* not root */
        skip();
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &mapped), 0);
    close(fd);
    assert_int_equal(proc_mapped(&p, "libc.so.6", &path), 0);
    assert_int_equal(stat(path, &named), 0);
    assert_int_equal(mapped.st_ino, named.st_ino);
    assert_int_equal(proc_open_mapping(&p, "1000-2000", O_RDONLY), -ENOENT);
    assert_int_equal(proc_open_mapping(&p, "nonsense", O_RDONLY), -EINVAL);
}

static void the_end_of_a_process_can_be_waited_for(void **state)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    struct pollfd end = {.events = POLLIN};
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        pause();
        _exit(0);
    }
    assert_int_equal(proc_open("/proc", child, &p), 0);
    end.fd = proc_pidfd(&p);
    assert_true(end.fd >= 0);
    assert_int_equal(poll(&end, 1, 0), 0);
    kill(child, SIGKILL);
    assert_int_equal(poll(&end, 1, 10000), 1);
    close(end.fd);
    assert_int_equal(proc_pidfd(&p), -ESRCH); /* not reaped yet, but no process any more */
    waitpid(child, NULL, 0);
    assert_int_equal(proc_pidfd(&p), -ESRCH);
}

static int make_root(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    return chdir("/") < 0 || file_remove_tree(AT_FDCWD, root) < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_process_is_as_it_knows_itself),
        cmocka_unit_test(a_process_that_is_gone_stays_gone),
        cmocka_unit_test(a_process_in_a_container_knows_itself_by_another_number),
        cmocka_unit_test(words_may_be_empty_and_the_last_may_have_no_end),
        cmocka_unit_test(a_name_with_brackets_does_not_move_the_start),
        cmocka_unit_test(files_are_found_as_the_process_sees_them),
        cmocka_unit_test(a_link_in_another_root_does_not_lead_out_of_it),
        cmocka_unit_test(mappings_are_those_of_files),
        cmocka_unit_test(a_mapped_file_is_opened_by_where_it_is_mapped),
        cmocka_unit_test(the_end_of_a_process_can_be_waited_for),
    };

    return cmocka_run_group_tests(tests, make_root, remove_root);
}
