/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel answers at once; who else connects (only root may) has a few seconds.
 */
#include "node/core_connection.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wait.h"
#include "core/corenotes.h"
#include "linux/pidfd_info.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

enum {
    DEADLINE_MS = 5000,
    PEEK_MS = 2000,
    PEEK_MAX = 256 * 1024,
    PEEK_POLL_MS = 5,
    LIMITS_MAX = 8192,
    SIGNAL_MAX = 64
};

static int receive(int fd, void *data, size_t size, uint64_t until_ms)
{
    for (size_t at = 0; at < size;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t n;
        int r = wait_ready(&p, 1, until_ms);

        if (r <= 0)
            return r < 0 ? r : -ETIMEDOUT;
        n = recv(fd, (char *)data + at, size - at, MSG_DONTWAIT);
        if (n == 0)
            return -EPIPE;
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        at += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int read_request(struct core_connection *c)
{
    unsigned char bytes[COREDUMP_REQUEST_MAX];
    uint64_t until_ms = clock_mono_ms() + DEADLINE_MS;
    int r = receive(c->fd, bytes, COREDUMP_REQUEST_MIN, until_ms);

    if (r < 0 || (r = coredump_request_parse(bytes, COREDUMP_REQUEST_MIN, &c->request)) < 0)
        return r;
    return receive(c->fd, bytes, c->request.size - COREDUMP_REQUEST_MIN, until_ms);
}

/* "Max core file size  SOFT  HARD  bytes". */
static uint64_t core_limit(pid_t pid)
{
    static const char NAME[] = "Max core file size";
    CLEANUP(buf_done) struct buf text = {.ceiling = LIMITS_MAX};
    const char *at;
    char path[64], number[32];
    uint64_t limit;

    snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
    if (file_load(AT_FDCWD, path, &text) < 0 || !(at = text_behind(buf_text(&text), NAME)))
        return UINT64_MAX;
    at += strspn(at, " ");
    snprintf(number, sizeof(number), "%.*s", (int)strcspn(at, " "), at);
    return text_parse_uint(number, UINT64_MAX, &limit) == 0 ? limit : UINT64_MAX;
}

int core_connection_open(struct core_connection *c, struct err *e)
{
    struct pidfd_info_of info;
    socklen_t size = sizeof(c->crash.pidfd);
    int r;

    assert(c->fd >= 0);
    c->crash = (struct crash){.pidfd = -1};
    if (getsockopt(c->fd, SOL_SOCKET, SO_PEERPIDFD, &c->crash.pidfd, &size) < 0)
        return err_set(e, -errno, "cannot know the process behind the socket: %s", strerror(errno));
    if ((r = pidfd_info_get(c->crash.pidfd, &info)) < 0)
        return err_set(e, r, "cannot know the process behind the socket: %s", strerror(-r));
    if (!info.dumped)
        return err_set(e, -EACCES, "process %d has connected, and dumps no core", (int)info.pid);
    if (c->requests && (r = read_request(c)) < 0)
        return err_set(e, r, "process %d: no request of the kernel: %s", (int)info.pid, strerror(-r));
    c->crash.pid = c->crash.tid = info.pid;
    c->crash.signal = info.signal;
    c->crash.time_ns = clock_wall_ns();
    c->crash.uid = info.uid;
    c->crash.gid = info.gid;
    c->crash.dumpable = info.as_root ? 2 : 1;
    c->crash.limit = core_limit(info.pid);
    return 0;
}

/* "SIGSEGV (11)" of the first thread's note. */
static int signal_of(const char *head, size_t size)
{
    struct origin o = {0};
    uint64_t at, notes, number;
    const char *open;
    char digits[8];

    if (corenotes_find(head, size, &at, &notes) < 0 || at >= size)
        return 0;
    corenotes_origin(head, size, head + at, notes < size - at ? (size_t)notes : size - (size_t)at, &o);
    if (!(open = strrchr(o.detail, '(')))
        return 0;
    snprintf(digits, sizeof(digits), "%.*s", (int)strcspn(open + 1, ")"), open + 1);
    return text_parse_uint(digits, SIGNAL_MAX, &number) == 0 ? (int)number : 0;
}

/* Looks at the beginning of the core until the signal can be seen in it. */
static int peek_signal(int fd)
{
    CLEANUP_FREE char *head = malloc(PEEK_MAX);
    uint64_t until_ms = clock_mono_ms() + PEEK_MS;
    ssize_t n, before = -1;
    int signal = 0;

    while (head && signal == 0 && clock_mono_ms() < until_ms) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        if (wait_ready(&p, 1, until_ms) <= 0 || (n = recv(fd, head, PEEK_MAX, MSG_PEEK | MSG_DONTWAIT)) <= 0)
            break;
        signal = signal_of(head, (size_t)n);
        if (signal == 0 && (n == before || n == PEEK_MAX))
            break; /* the kernel sends no more before we read */
        before = n;
        if (signal == 0)
            clock_sleep_ms(PEEK_POLL_MS);
    }
    return signal;
}

int core_connection_answer(struct core_connection *c, bool take, struct err *e)
{
    unsigned char answer[COREDUMP_ANSWER_SIZE], mark[COREDUMP_MARK_SIZE];
    const char *problem;
    int r;

    if (c->requests) {
        if ((r = coredump_answer_make(&c->request, take, answer)) < 0)
            return err_set(e, r, "the kernel can't do what we need");
        if (send(c->fd, answer, sizeof(answer), MSG_NOSIGNAL) != (ssize_t)sizeof(answer))
            return err_set(e, -errno, "cannot answer the kernel: %s", strerror(errno));
        if ((r = receive(c->fd, mark, sizeof(mark), clock_mono_ms() + DEADLINE_MS)) < 0)
            return err_set(e, r, "the kernel says nothing to our answer: %s", strerror(-r));
        if ((problem = coredump_mark_problem(mark)))
            return err_set(e, -EPROTO, "the kernel refuses our answer: %s", problem);
    }
    if (take && c->crash.signal == 0)
        c->crash.signal = peek_signal(c->fd);
    return 0;
}
