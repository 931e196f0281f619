/* SPDX-License-Identifier: Apache-2.0
 *
 * fork(2), and a socket pair on which the child sends its result together with the connection (SCM_RIGHTS).
 */
#include "hotspot/attach_child.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/wait.h"
#include "linux/become.h"

enum { POLL_MS = 200 };

/* The child's result; the connection is passed along with it. */
struct report {
    int result;
    struct err e;
};

static bool parent_is_gone(void *ctx)
{
    struct pollfd p = {.fd = *(int *)ctx, .events = 0};

    return poll(&p, 1, 0) > 0;
}

static void send_report(int channel, int fd, const struct report *report)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec data = {.iov_base = (void *)report, .iov_len = sizeof(*report)};
    struct msghdr m = {.msg_iov = &data, .msg_iovlen = 1};

    if (fd >= 0) {
        struct cmsghdr *c;

        m.msg_control = &control;
        m.msg_controllen = sizeof(control);
        c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    }
    sendmsg(channel, &m, MSG_NOSIGNAL);
}

static int receive_report(int channel, struct report *ret, int *ret_fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec data = {.iov_base = ret, .iov_len = sizeof(*ret)};
    struct msghdr m = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t n;

    do
        n = recvmsg(channel, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    *ret_fd = -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); n >= 0 && c; c = CMSG_NXTHDR(&m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
            memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
    return n == (ssize_t)sizeof(*ret) ? 0 : -EIO;
}

static void run_child(const struct attach_child *c, int channel)
{
    const struct attach_wait wait = {.timeout_ms = c->wait->timeout_ms, .stop = parent_is_gone, .ctx = &channel};
    struct report report = {0};
    CLEANUP_FD int fd = -1;

    signal(SIGINT, SIG_IGN); /* the parent ends us, and the trigger file must be removed */
    signal(SIGTERM, SIG_IGN);
    /* Without the capability we connect as root: JDK 11 and newer answer root, too. */
    (void)become_user(c->j->status.uid, c->j->status.gid);
    fd = report.result = c->connect(c->ctx, &wait, &report.e);
    send_report(channel, fd, &report);
}

/* Waits for the child's report, or until the caller's stop. */
static int await_report(const struct attach_child *c, int channel, struct report *ret)
{
    const struct attach_wait *wait = c->wait;
    int pid = (int)c->j->proc.pid, fd = -1;
    bool stopped = false;

    for (struct pollfd p = {.fd = channel, .events = POLLIN}; poll(&p, 1, POLL_MS) <= 0 && !stopped;)
        stopped = wait->stop && wait->stop(wait->ctx);
    if (stopped)
        ret->result = err_set(&ret->e, -ECANCELED, "stopped while waiting for JVM %d", pid);
    else if (receive_report(channel, ret, &fd) < 0)
        ret->result = err_set(&ret->e, -EIO, "the child process that attached to JVM %d died", pid);
    else if (ret->result >= 0 && fd < 0)
        ret->result = err_set(&ret->e, -EMFILE, "too many open files");
    return fd;
}

int attach_child_connect(const struct attach_child *c, struct err *e)
{
    CLEANUP_FD int ours = -1, its = -1, fd = -1;
    struct report report = {0};
    int channel[2];
    pid_t child;

    assert(c->j && c->wait && c->connect);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)
        return err_set(e, -errno, "no socket: %s", strerror(errno));
    ours = channel[0];
    its = channel[1];
    child = fork();
    if (child < 0)
        return err_set(e, -errno, "cannot fork to attach to JVM %d: %s", (int)c->j->proc.pid, strerror(errno));
    if (child == 0) {
        close(TAKE_FD(ours));
        run_child(c, its);
        _exit(0);
    }
    close(TAKE_FD(its));
    fd = await_report(c, ours, &report);
    close(TAKE_FD(ours));
    wait_child(child);
    if (report.result < 0) {
        *e = report.e;
        return report.result;
    }
    return TAKE_FD(fd);
}
