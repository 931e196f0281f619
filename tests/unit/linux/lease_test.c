/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether somebody writes to a file, asked while another process does and does not; and that being asked at the wrong
 * moment kills nobody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "linux/lease.h"

static char path[] = "lease_test.XXXXXX";
static bool leases_work; /* they don't on every file system */

static int set_up(void **state)
{
    CLEANUP_FD int fd = mkstemp(path);
    CLEANUP_FD int reader = open(path, O_RDONLY | O_CLOEXEC);

    (void)state;
    if (fd < 0 || reader < 0)
        return -1;
    leases_work = fcntl(reader, F_SETLEASE, F_RDLCK) < 0 && errno == EAGAIN;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

/* A process that has the file open with these flags; reads a byte from *ret_go before it ends. */
static pid_t hold_open(int flags, int *ret_go)
{
    int ready[2], go[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(go[1]);
        int fd = open(path, flags | O_CLOEXEC);
        if (fd < 0 || write(ready[1], "r", 1) != 1)
            _exit(1);
        _exit(read(go[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(ready[1]);
    close(go[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *ret_go = go[1];
    return pid;
}

static void let_go(pid_t pid, int go)
{
    int status = -1;

    close(go);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_writer_in_another_process_is_seen_until_it_closes(void **state)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    int go;

    (void)state;
    if (!leases_work)
        skip();
    assert_int_equal(lease_probe(fd), LEASE_NO_WRITER);

    pid_t pid = hold_open(O_WRONLY, &go);
    assert_int_equal(lease_probe(fd), LEASE_WRITER);
    assert_int_equal(lease_probe(fd), LEASE_WRITER);
    let_go(pid, go);
    assert_int_equal(lease_probe(fd), LEASE_NO_WRITER);
}

static void readers_do_not_count(void **state)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    int go;

    (void)state;
    if (!leases_work)
        skip();
    pid_t pid = hold_open(O_RDONLY, &go);
    assert_int_equal(lease_probe(fd), LEASE_NO_WRITER);
    let_go(pid, go);
}

static void the_lease_is_given_back(void **state)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

    (void)state;
    if (!leases_work)
        skip();
    assert_int_equal(lease_probe(fd), LEASE_NO_WRITER);
    assert_int_equal(fcntl(fd, F_GETLEASE), F_UNLCK);
    CLEANUP_FD int writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(writer >= 0);
}

static void where_no_lease_can_be_had_nothing_is_known(void **state)
{
    CLEANUP_FD int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int by_path = open(path, O_PATH | O_CLOEXEC);

    (void)state;
    assert_int_equal(lease_probe(folder), LEASE_UNKNOWN);
    assert_int_equal(lease_probe(by_path), LEASE_UNKNOWN);
    assert_int_equal(lease_probe(-1), LEASE_UNKNOWN);
}

static volatile sig_atomic_t breaks;

static void count_break(int signal_number)
{
    (void)signal_number;
    breaks++;
}

/* Asks until somebody's open(2) has met the lease; SIGIO's default action would end the process. */
static int ask_until_broken(void)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct sigaction action = {.sa_handler = count_break, .sa_flags = SA_RESTART};
    time_t end = time(NULL) + 10;

    sigaction(SIGURG, &action, NULL);
    signal(SIGIO, SIG_DFL);
    while (breaks == 0 && time(NULL) < end)
        if (lease_probe(fd) == LEASE_UNKNOWN)
            return 1;
    return breaks > 0 ? 0 : 2;
}

static void a_writer_that_comes_while_asking_kills_nobody(void **state)
{
    int status = -1;

    (void)state;
    if (!leases_work)
        skip();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(ask_until_broken());
    while (waitpid(pid, &status, WNOHANG) == 0) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        close(fd);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
        skip(); /* never met */
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_writer_in_another_process_is_seen_until_it_closes),
        cmocka_unit_test(readers_do_not_count),
        cmocka_unit_test(the_lease_is_given_back),
        cmocka_unit_test(where_no_lease_can_be_had_nothing_is_known),
        cmocka_unit_test(a_writer_that_comes_while_asking_kills_nobody),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
