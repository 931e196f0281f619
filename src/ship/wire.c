/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets with descriptors (unix(7), SCM_RIGHTS).
 */
#include "ship/wire.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"

struct head {
    uint32_t type;
    int32_t code;
    uint64_t a, b;
    uint32_t fds; /* bit i: fd[i] is sent along */
    uint32_t text_size;
};

int wire_pair(int ret[2])
{
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
        return -errno;
    if (fcntl(fd[0], F_SETFL, O_NONBLOCK) < 0) {
        int r = -errno;

        close(fd[0]);
        close(fd[1]);
        return r;
    }
    ret[0] = fd[0];
    ret[1] = fd[1];
    return 0;
}

/* Senders of other messages leave their descriptors at 0. */
static bool carries_fds(enum wire_type type)
{
    return type == WIRE_JOB || type == WIRE_NOTICES;
}

int wire_send(int fd, const struct wire *w)
{
    struct head head = {.type = (uint32_t)w->type, .code = w->code, .a = w->a, .b = w->b};
    size_t text_size = w->text ? strlen(w->text) : 0;
    struct iovec part[2] = {{&head, sizeof(head)}, {w->text, text_size}};
    union {
        char space[CMSG_SPACE(sizeof(int) * WIRE_FDS)];
        struct cmsghdr align;
    } control = {0};
    struct msghdr message = {.msg_iov = part, .msg_iovlen = 2};
    int fds[WIRE_FDS];
    unsigned count = 0;

    assert(fd >= 0 && w->type >= WIRE_JOB && w->type < WIRE_TYPE_END);
    if (text_size > WIRE_TEXT_MAX)
        return -EMSGSIZE;
    head.text_size = (uint32_t)text_size;
    for (unsigned i = 0; carries_fds(w->type) && i < WIRE_FDS; i++)
        if (w->fd[i] >= 0) {
            head.fds |= 1U << i;
            fds[count++] = w->fd[i];
        }
    if (count > 0) {
        struct cmsghdr *c;

        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
    }
    while (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

/* Takes all descriptors out of the control data: unexpected ones must not leak. */
static void take_fds(struct msghdr *message, uint32_t wanted, struct wire *w)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        size_t count;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0, slot = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            while (slot < WIRE_FDS && !(wanted & (1U << slot)))
                slot++;
            if (slot < WIRE_FDS && w->fd[slot] < 0)
                w->fd[slot++] = fd;
            else
                close(fd);
        }
    }
}

int wire_receive(int fd, struct wire *ret)
{
    struct head head = {0};
    CLEANUP_FREE char *text = malloc(WIRE_TEXT_MAX + 1);
    struct iovec part[2] = {{&head, sizeof(head)}, {text, WIRE_TEXT_MAX}};
    union {
        char space[CMSG_SPACE(sizeof(int) * WIRE_FDS)];
        struct cmsghdr align;
    } control;
    struct msghdr message = {
        .msg_iov = part, .msg_iovlen = 2, .msg_control = control.space, .msg_controllen = sizeof(control.space)};
    struct wire w = {.fd = {-1, -1}};
    ssize_t n;

    if (!text)
        return -ENOMEM;
    while ((n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC)) < 0)
        if (errno != EINTR)
            return errno == EWOULDBLOCK ? -EAGAIN : errno == ECONNRESET ? 0 : -errno;
    if (n == 0)
        return 0;
    take_fds(&message, head.fds, &w);
    if ((size_t)n < sizeof(head) || (size_t)n != sizeof(head) + head.text_size || (message.msg_flags & MSG_TRUNC) ||
        head.type < WIRE_JOB || head.type >= WIRE_TYPE_END) {
        wire_done(&w);
        return -EBADMSG;
    }
    text[head.text_size] = '\0';
    w.type = (enum wire_type)head.type;
    w.code = head.code;
    w.a = head.a;
    w.b = head.b;
    w.text = realloc(text, head.text_size + 1U);
    if (!w.text)
        w.text = text;
    text = NULL;
    *ret = w;
    return 1;
}

void wire_done(struct wire *w)
{
    for (unsigned i = 0; i < WIRE_FDS; i++)
        if (w->fd[i] >= 0)
            close(w->fd[i]);
    free(w->text);
    *w = (struct wire){.fd = {-1, -1}};
}
