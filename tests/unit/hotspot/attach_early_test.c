/* SPDX-License-Identifier: Apache-2.0
 *
 * Children that behave as a JVM does at its start: none is signalled before it has a handler and is ready, and one that
 * is ready opens its socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/wait.h"
#include "hotspot/attach_early.h"

static const struct attach_wait WAIT = {.timeout_ms = 5000};
static const int64_t NOW = 0, OLD = INT64_C(60) * 1000000000; /* age, ns */

enum { CODE_SIGNALLED = 3 };

static void socket_name(pid_t pid, char *out, size_t size)
{
    snprintf(out, size, "/tmp/.java_pid%d", (int)pid);
}

static void open_attach_socket(int number)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)number;
    socket_name(getpid(), address.sun_path, sizeof(address.sun_path));
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
        _exit(1);
}

static void exit_signalled(int number)
{
    (void)number;
    _exit(CODE_SIGNALLED);
}

/* A process with a handler for SIGQUIT, or none. */
static pid_t start_jvm(void (*on_quit)(int), const char *thread)
{
    int ready[2];
    char byte;
    pid_t child;

    assert_int_equal(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        struct sigaction quit = {.sa_handler = on_quit};

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigaction(SIGQUIT, &quit, NULL);
        prctl(PR_SET_NAME, thread);
        if (strcmp(thread, "Attach Listener") == 0)
            open_attach_socket(0);
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

static void open_jvm(pid_t pid, int64_t age_ns, struct jvm *ret)
{
    *ret = (struct jvm)JVM_NONE;
    assert_int_equal(proc_open("/proc", pid, &ret->proc), 0);
    assert_int_equal(proc_status(&ret->proc, &ret->status), 0);
    ret->started_ns = clock_wall_ns() - age_ns;
}

/* What attach_early answers; the process's wait status when it is ended afterwards. */
static int attach(pid_t pid, int64_t age_ns, int disabled, int *ret_status)
{
    CLEANUP(jvm_done) struct jvm j;
    struct err e;
    char path[64];
    int r;

    open_jvm(pid, age_ns, &j);
    j.options.attach_disabled = disabled;
    r = attach_early(&j, &WAIT, &e);
    kill(pid, SIGKILL);
    *ret_status = wait_child(pid);
    socket_name(pid, path, sizeof(path));
    unlink(path);
    return r;
}

static void assert_not_signalled(int status)
{
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void a_jvm_without_a_handler_yet_is_not_signalled(void **state)
{
    int status;

    (void)state;
    assert_int_equal(attach(start_jvm(SIG_DFL, "java"), NOW, 0, &status), -EAGAIN);
    assert_not_signalled(status);
}

static void a_jvm_that_will_never_have_a_handler_is_refused(void **state)
{
    int status;

    (void)state;
    assert_int_equal(attach(start_jvm(SIG_DFL, "java"), OLD, 0, &status), -FAULT_REFUSED);
    assert_not_signalled(status);
}

static void a_young_jvm_without_counters_is_given_time(void **state)
{
    int status;

    (void)state;
    assert_int_equal(attach(start_jvm(exit_signalled, "java"), NOW, 0, &status), -EAGAIN);
    assert_not_signalled(status);
}

static void a_jvm_that_disables_attaching_is_refused_at_once(void **state)
{
    int status;

    (void)state;
    assert_int_equal(attach(start_jvm(exit_signalled, "java"), OLD, 1, &status), -FAULT_REFUSED);
    assert_not_signalled(status);
}

static void a_ready_jvm_opens_its_socket(void **state)
{
    int status;

    (void)state;
    assert_int_equal(attach(start_jvm(open_attach_socket, "java"), OLD, 0, &status), 0);
    assert_not_signalled(status);
}

static void a_jvm_that_listens_is_not_signalled_again(void **state)
{
    int status;

    (void)state;
    assert_int_equal(attach(start_jvm(exit_signalled, "Attach Listener"), NOW, 0, &status), 0);
    assert_not_signalled(status);
}

static void a_jvm_that_dies_of_the_signal_is_no_success(void **state)
{
    int status;

    (void)state;
    assert_int_equal(attach(start_jvm(exit_signalled, "java"), OLD, 0, &status), -ESRCH);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), CODE_SIGNALLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jvm_without_a_handler_yet_is_not_signalled),
        cmocka_unit_test(a_jvm_that_will_never_have_a_handler_is_refused),
        cmocka_unit_test(a_young_jvm_without_counters_is_given_time),
        cmocka_unit_test(a_jvm_that_disables_attaching_is_refused_at_once),
        cmocka_unit_test(a_ready_jvm_opens_its_socket),
        cmocka_unit_test(a_jvm_that_listens_is_not_signalled_again),
        cmocka_unit_test(a_jvm_that_dies_of_the_signal_is_no_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
