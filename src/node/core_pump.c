/* SPDX-License-Identifier: Apache-2.0
 *
 * splice(2) between pipes moves pages; tee(2) before it gives them to a second reader.
 */
#include "node/core_pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/wait.h"

enum { PIPE_SIZE = 1024 * 1024, STACK_SIZE = 128 * 1024 };

/* Waits until fd takes something. False: the time is up. */
static bool wait_for_room(const struct core_pump *p, int fd)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};

    return wait_ready(&room, 1, p->until_ms) > 0;
}

/* The bytes that both readers get; fewer than size. 0: the end. -EAGAIN: not now; -ETIMEDOUT. */
static ssize_t copy_to_other(struct core_pump *p, size_t size)
{
    ssize_t n;

    if (!wait_for_room(p, p->copy))
        return -ETIMEDOUT;
    n = tee(p->in, p->copy, size, SPLICE_F_NONBLOCK);
    if (n >= 0 || errno == EAGAIN || errno == EINTR)
        return n >= 0 ? n : -EAGAIN;
    close(TAKE_FD(p->copy)); /* its reader has gone */
    return (ssize_t)size;
}

/* Moves up to size bytes; all of them if `all`, as they were copied. The bytes; 0: the end; negative. */
static ssize_t move(struct core_pump *p, size_t size, bool all)
{
    size_t done = 0;

    do {
        ssize_t n;

        if (!wait_for_room(p, p->into))
            return -ETIMEDOUT;
        n = splice(p->in, NULL, p->into, NULL, size - done, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        if (n == 0)
            break;
        done += n > 0 ? (size_t)n : 0;
    } while (done == 0 || (all && done < size));
    atomic_fetch_add(&p->moved, done);
    return (ssize_t)done;
}

static ssize_t pass_on(struct core_pump *p)
{
    uint64_t left = p->size_max - atomic_load(&p->moved);
    ssize_t size = left < PIPE_SIZE ? (ssize_t)left : PIPE_SIZE;
    bool copied = p->copy >= 0;

    if (copied && (size = copy_to_other(p, (size_t)size)) <= 0)
        return size;
    return move(p, (size_t)size, copied && p->copy >= 0);
}

static enum pump_cut run(struct core_pump *p)
{
    for (;;) {
        struct pollfd fd = {.fd = p->in, .events = POLLIN};
        ssize_t n;

        if (atomic_load(&p->moved) >= p->size_max)
            return PUMP_SIZE;
        if (wait_ready(&fd, 1, p->until_ms) <= 0)
            return PUMP_TIME;
        n = pass_on(p);
        if (n == 0)
            return PUMP_WHOLE;
        if (n == -ETIMEDOUT || clock_mono_ms() >= p->until_ms)
            return PUMP_TIME;
        if (n < 0 && n != -EAGAIN)
            return PUMP_BROKEN;
    }
}

static void *run_pump(void *arg)
{
    struct core_pump *p = arg;

    atomic_store(&p->cut, (int)run(p));
    close(TAKE_FD(p->in));
    if (p->copy >= 0)
        close(TAKE_FD(p->copy));
    close(TAKE_FD(p->into));
    return NULL;
}

int core_pump_start(struct core_pump *p, struct err *e)
{
    int ends[2] = {-1, -1}, r = 0;

    atomic_init(&p->moved, 0);
    atomic_init(&p->cut, (int)PUMP_WHOLE);
    if (pipe2(ends, O_CLOEXEC) < 0) {
        r = -errno;
    } else {
        fcntl(ends[1], F_SETPIPE_SZ, (int)PIPE_SIZE); /* where it may be */
        fcntl(p->in, F_SETPIPE_SZ, (int)PIPE_SIZE);
        p->out = ends[0];
        p->into = ends[1];
        r = thread_start(&p->thread, STACK_SIZE, run_pump, p);
    }
    if (r == 0)
        return 0;
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    close(TAKE_FD(p->in));
    if (p->copy >= 0)
        close(TAKE_FD(p->copy));
    return err_set(e, r, "cannot read the core: %s", strerror(-r));
}

void core_pump_join(struct core_pump *p)
{
    pthread_join(p->thread, NULL);
}

const char *core_pump_partial(const struct core_pump *p)
{
    switch (atomic_load(&p->cut)) {
    case PUMP_SIZE:
        return "it was cut at --core-max, the process's RLIMIT_CORE or the spool's ceiling";
    case PUMP_TIME:
        return "the process was held for as long as --hold allows before all of its memory was read";
    default:
        return NULL;
    }
}
