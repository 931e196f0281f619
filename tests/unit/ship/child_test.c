/* SPDX-License-Identifier: Apache-2.0
 *
 * A child process from its start to the last of its handles: what it says, how it ends, and what fails on the way.
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
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fake_worker.h"
#include "ship/child.h"

enum { PATIENCE_MS = 20 * 1000 };

static struct {
    uv_loop_t loop;
    struct child child;
    unsigned messages, ended, closed;
    char reason[100];
} t;

/* Our end of the channel becomes a file, which epoll refuses. */
static int spawn_and_break_channel(uv_loop_t *loop, uv_process_t *process, const uv_process_options_t *options)
{
    CLEANUP_FD int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int r = fake_spawn(loop, process, options), fd = options->stdio[WORKER_CHANNEL].data.fd - 1;

    while (fd > 2 && (fcntl(fd, F_GETFL) < 0 || !(fcntl(fd, F_GETFL) & O_NONBLOCK)))
        fd--; /* socketpair gives the two lowest numbers that are free */
    assert_int_equal(dup3(file, fd, O_CLOEXEC), fd);
    return r;
}

static void on_message(void *ctx, const struct wire *w)
{
    (void)ctx;
    t.messages += w->type == WIRE_PROGRESS;
}

static void on_ended(void *ctx, const char *reason)
{
    (void)ctx;
    t.ended++;
    assert_int_equal(t.closed, 0);
    assert_int_equal(child_pid(&t.child) == 0 || kill(child_pid(&t.child), 0) < 0, 1); /* its number is free */
    snprintf(t.reason, sizeof(t.reason), "%s", reason);
}

static void on_closed(void *ctx)
{
    (void)ctx;
    t.closed++;
}

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    fake_set_up();
    if (uv_loop_init(&t.loop) < 0)
        return -1;
    t.child = (struct child){
        .loop = &t.loop, .ctx = &t, .message = on_message, .ended = on_ended, .closed = on_closed, .spawn = fake_spawn};
    child_init(&t.child);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    child_kill(&t.child);
    child_end(&t.child);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    fake_tear_down();
    return uv_loop_close(&t.loop);
}

static int start(void)
{
    static char salvage[] = "salvage";
    static char *const args[] = {salvage, NULL};

    return child_start(&t.child, args);
}

static void run_until(const unsigned *count)
{
    uint64_t until = clock_mono_ms() + PATIENCE_MS;

    while (*count == 0 && clock_mono_ms() < until) {
        uv_run(&t.loop, UV_RUN_NOWAIT);
        clock_sleep_ms(1);
    }
    assert_int_equal(*count, 1);
}

static void messages_go_both_ways(void **state)
{
    struct wire w = {.fd = {-1, -1}};

    (void)state;
    assert_true(child_may_start(&t.child));
    assert_int_equal(child_send(&t.child, &(struct wire){.type = WIRE_SWEEP}), -EPIPE);
    assert_int_equal(start(), 0);
    assert_true(child_is_up(&t.child) && !child_may_start(&t.child) && child_pid(&t.child) > 0);
    assert_int_equal(child_send(&t.child, &(struct wire){.type = WIRE_SWEEP}), 0);
    assert_int_equal(wire_receive(fake.worker[0].channel, &w), 1);
    assert_int_equal(w.type, WIRE_SWEEP);
    wire_done(&w);
    assert_int_equal(wire_send(fake.worker[0].channel, &(struct wire){.type = WIRE_PROGRESS}), 0);
    run_until(&t.messages);
}

static void its_last_message_comes_before_its_end(void **state)
{
    (void)state;
    assert_int_equal(start(), 0);
    kill(child_pid(&t.child), SIGTERM);
    while (waitid(P_PID, (id_t)child_pid(&t.child), &(siginfo_t){0}, WEXITED | WNOWAIT) < 0)
        assert_int_equal(errno, EINTR);
    assert_int_equal(wire_send(fake.worker[0].channel, &(struct wire){.type = WIRE_PROGRESS}), 0);
    run_until(&t.ended);
    assert_int_equal(t.messages, 1);
    assert_string_equal(t.reason, "the process was killed by signal 15");
    run_until(&t.closed);
    assert_true(child_may_start(&t.child));
}

/* The kernel gives its number to another process, which must not be hit. */
static void one_that_has_ended_is_not_killed_again(void **state)
{
    pid_t pid;

    (void)state;
    assert_int_equal(start(), 0);
    pid = child_pid(&t.child);
    child_kill(&t.child);
    run_until(&t.ended);
    assert_int_equal(child_pid(&t.child), 0);
    t.child.process.pid = getpid(); /* "another process" of that number */
    child_kill(&t.child);
    run_until(&t.closed);
    child_kill(&t.child);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
}

static void one_that_speaks_nonsense_is_hung_up_on(void **state)
{
    char byte;

    (void)state;
    assert_int_equal(start(), 0);
    assert_int_equal(send(fake.worker[0].channel, "nonsense", 8, 0), 8);
    for (uint64_t until = clock_mono_ms() + PATIENCE_MS; child_is_up(&t.child) && clock_mono_ms() < until;)
        uv_run(&t.loop, UV_RUN_NOWAIT);
    assert_false(child_is_up(&t.child));
    assert_int_equal(recv(fake.worker[0].channel, &byte, 1, 0), 0);
    assert_int_equal(t.ended, 0); /* that is for its exit to say */
    assert_false(child_may_start(&t.child));
}

static void a_spawn_that_fails_can_be_tried_again(void **state)
{
    (void)state;
    fake.error = UV_EAGAIN;
    assert_int_equal(start(), UV_EAGAIN);
    assert_false(child_is_up(&t.child));
    assert_int_equal(child_pid(&t.child), 0);
    child_kill(&t.child); /* nothing */
    run_until(&t.closed);
    assert_int_equal(t.ended, 0);
    t.closed = 0;
    assert_int_equal(start(), 0);
    assert_true(child_is_up(&t.child));
}

static void a_channel_that_the_loop_refuses_costs_the_process(void **state)
{
    (void)state;
    t.child.spawn = spawn_and_break_channel;
    assert_int_equal(start(), UV_EPERM);
    assert_false(child_is_up(&t.child) || child_may_start(&t.child));
    run_until(&t.closed);
    assert_int_equal(t.ended, 0); /* it never began */
    assert_true(child_may_start(&t.child));
}

static void one_that_was_abandoned_does_not_keep_the_loop(void **state)
{
    pid_t pid;

    (void)state;
    assert_int_equal(start(), 0);
    pid = child_pid(&t.child);
    child_abandon(&t.child);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    assert_int_equal(t.closed, 1);
    assert_int_equal(kill(pid, SIGKILL), 0); /* it is there still */
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_go_both_ways, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_last_message_comes_before_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_has_ended_is_not_killed_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_speaks_nonsense_is_hung_up_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_spawn_that_fails_can_be_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_channel_that_the_loop_refuses_costs_the_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_was_abandoned_does_not_keep_the_loop, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
