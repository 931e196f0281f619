/* SPDX-License-Identifier: Apache-2.0
 *
 * The handles of a process and its channel, and the order in which they close.
 */
#include "ship/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"

void child_init(struct child *c)
{
    c->channel = -1;
    c->handles = 0;
}

bool child_may_start(const struct child *c)
{
    return c->handles == 0;
}

bool child_is_up(const struct child *c)
{
    return c->channel >= 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct child *c = handle->data;

    if (--c->handles == 0)
        c->closed(c->ctx);
}

void child_end(struct child *c)
{
    if (c->channel < 0)
        return;
    uv_poll_stop(&c->poll);
    uv_close((uv_handle_t *)&c->poll, on_handle_closed);
    close(c->channel);
    c->channel = -1;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct child *c = poll->data;
    int r = status < 0 ? 0 : 1;

    (void)events;
    while (r == 1 && c->channel >= 0) {
        struct wire w = {.fd = {-1, -1}};

        if ((r = wire_receive(c->channel, &w)) == 1) {
            c->message(c->ctx, &w);
            wire_done(&w);
        }
    }
    if (r != -EAGAIN)
        child_end(c); /* on_exited does the rest */
}

static void on_exited(uv_process_t *process, int64_t status, int signal)
{
    struct child *c = process->data;
    char reason[100];

    /* Messages that it sent before it ended may still be in the socket. */
    if (c->channel >= 0)
        on_readable(&c->poll, 0, UV_READABLE);
    child_end(c);
    snprintf(reason, sizeof(reason),
             signal ? "the process was killed by signal %d" : "the process ended with status %d",
             signal ? signal : (int)status);
    if (!c->useless)
        c->ended(c->ctx, reason);
    uv_close((uv_handle_t *)process, on_handle_closed);
}

/* A pipe without a writer, as standard input: libuv's UV_IGNORE needs /dev/null, which an empty container lacks. */
static int no_input(void)
{
    int pair[2];

    if (pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    close(pair[1]);
    return pair[0];
}

/* Without a channel the process is useless, and is killed. Its handle is closed when it has ended, so that the loop
 * reaps it. */
static int open_channel(struct child *c, int fd)
{
    int r = uv_poll_init(c->loop, &c->poll, fd);

    c->poll.data = c;
    if (r < 0) {
        close(fd);
        c->useless = true;
        uv_process_kill(&c->process, SIGKILL);
        return r;
    }
    c->channel = fd;
    c->handles++;
    if ((r = uv_poll_start(&c->poll, UV_READABLE, on_readable)) < 0) {
        c->useless = true;
        child_end(c);
        uv_process_kill(&c->process, SIGKILL);
    }
    return r;
}

int child_start(struct child *c, char *const *args)
{
    uv_stdio_container_t stdio[WORKER_CHANNEL + 1] = {{.flags = UV_INHERIT_FD},
                                                      {.flags = UV_INHERIT_FD, .data.fd = 2},
                                                      {.flags = UV_INHERIT_FD, .data.fd = 2},
                                                      {.flags = UV_INHERIT_FD}};
    uv_process_options_t options = {.exit_cb = on_exited,
                                    .file = "/proc/self/exe",
                                    .args = (char **)args,
                                    .stdio = stdio,
                                    .stdio_count = WORKER_CHANNEL + 1};
    CLEANUP_FD int input = no_input();
    int pair[2], r = input < 0 ? input : wire_pair(pair);

    assert(child_may_start(c) && c->message && c->ended && c->closed);
    if (r < 0)
        return r;
    stdio[0].data.fd = input;
    stdio[WORKER_CHANNEL].data.fd = pair[1];
    c->process.data = c;
    c->useless = false;
    r = (c->spawn ? c->spawn : uv_spawn)(c->loop, &c->process, &options);
    close(pair[1]);
    c->handles = 1;
    if (r < 0) {
        close(pair[0]);
        uv_close((uv_handle_t *)&c->process, on_handle_closed);
        return r;
    }
    return open_channel(c, pair[0]);
}

int child_send(struct child *c, const struct wire *w)
{
    return c->channel < 0 ? -EPIPE : wire_send(c->channel, w);
}

void child_kill(struct child *c)
{
    if (c->handles > 0 && !uv_is_closing((uv_handle_t *)&c->process))
        uv_process_kill(&c->process, SIGKILL);
}

pid_t child_pid(const struct child *c)
{
    return c->handles > 0 && !uv_is_closing((const uv_handle_t *)&c->process) ? uv_process_get_pid(&c->process) : 0;
}

void child_abandon(struct child *c)
{
    child_end(c);
    if (c->handles > 0 && !uv_is_closing((uv_handle_t *)&c->process))
        uv_close((uv_handle_t *)&c->process, on_handle_closed);
}
