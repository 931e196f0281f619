/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers whose process only sleeps, so that it can be killed, crash and hang like a real one, while the test holds its
 * end of the channel and speaks for it. After cmocka.h.
 */
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "ship/child.h"

enum { FAKE_WORKERS_MAX = 16 };

static struct fake_workers {
    struct fake_worker {
        int channel; /* its end; -1: closed */
        pid_t pid;
    } worker[FAKE_WORKERS_MAX];
    unsigned count;
    int error; /* of the next spawn; 0: none */
} fake;

static void fake_set_up(void)
{
    fake = (struct fake_workers){0};
    for (unsigned i = 0; i < FAKE_WORKERS_MAX; i++)
        fake.worker[i].channel = -1;
}

static void fake_tear_down(void)
{
    for (unsigned i = 0; i < FAKE_WORKERS_MAX; i++)
        if (fake.worker[i].channel >= 0)
            close(TAKE_FD(fake.worker[i].channel));
}

/* Until the process sleeps: while it starts, it counts as active. */
static inline void fake_await_sleep(pid_t pid)
{
    char path[40], text[512] = "";
    const char *state;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    for (unsigned ms = 0; ms < 20000; ms++) {
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
        close(fd);
        state = strrchr(text, ')');
        if (state && text_starts(state, ") S"))
            return;
        clock_sleep_ms(1);
    }
    fail_msg("%s", text);
}

/* A child_spawn. */
static int fake_spawn(uv_loop_t *loop, uv_process_t *process, const uv_process_options_t *options)
{
    static char sleep[] = "sleep", time[] = "1000";
    static char *args[] = {sleep, time, NULL};
    struct fake_worker *w = &fake.worker[fake.count];
    uv_process_options_t now = *options;
    int r, error = fake.error;

    assert_true(fake.count < FAKE_WORKERS_MAX);
    fake.error = 0;
    now.file = error ? "/nonexistent" : "/bin/sleep";
    now.args = args;
    now.stdio_count = WORKER_CHANNEL; /* the channel is ours */
    r = uv_spawn(loop, process, &now);
    if (error)
        return error;
    assert_int_equal(r, 0);
    w->channel = fcntl(options->stdio[WORKER_CHANNEL].data.fd, F_DUPFD_CLOEXEC, 3);
    w->pid = process->pid;
    fake_await_sleep(w->pid);
    fake.count++;
    return r;
}

/* Lets the loop handle what is on its way: messages, and ends of processes. A worker whose channel was closed ends, as
 * a real one does. */
static inline void fake_pump(uv_loop_t *loop)
{
    char byte;

    for (unsigned i = 0; i < fake.count; i++)
        if (fake.worker[i].channel >= 0 && recv(fake.worker[i].channel, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
            close(TAKE_FD(fake.worker[i].channel));
            kill(fake.worker[i].pid, SIGKILL);
        }
    uv_run(loop, UV_RUN_NOWAIT);
}

/* The next message to a worker, which must have come by now; its type. ret may be NULL; its text is then the caller's.
 */
static inline enum wire_type fake_hear(unsigned n, struct wire *ret)
{
    struct wire w = {.fd = {-1, -1}};
    enum wire_type type;

    fcntl(fake.worker[n].channel, F_SETFL, O_NONBLOCK);
    assert_int_equal(wire_receive(fake.worker[n].channel, &w), 1);
    type = w.type;
    if (ret)
        *ret = w;
    else
        wire_done(&w);
    return type;
}

static inline void fake_say(unsigned n, struct wire w)
{
    w.fd[0] = w.fd[1] = -1;
    assert_int_equal(wire_send(fake.worker[n].channel, &w), 0);
}
