/* SPDX-License-Identifier: Apache-2.0
 *
 * What TLS has read and nobody has received yet lies in the connection's `early`.
 */
#include "net/http_socket.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "base/thread.h"

enum { DESCRIPTORS_MAX = 1 << 20, TRIM_MS = 500 };

static _Atomic(struct http_connection *) *table;
static size_t table_size;

/* Untouched pages cost nothing. */
static void make_table(void)
{
    struct rlimit limit;

    table_size = DESCRIPTORS_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS_MAX)
        table_size = (size_t)limit.rlim_cur;
    if (!(table = calloc(table_size, sizeof(*table))))
        table_size = 0;
}

/* The library's own thread may look a socket up before the first connection is added. */
static bool has_room(int fd)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_table);
    return (size_t)fd < table_size;
}

bool http_socket_set(int fd, struct http_connection *c)
{
    if (!has_room(fd))
        return false;
    atomic_store(&table[fd], c);
    return true;
}

void http_socket_remove(int fd)
{
    atomic_store(&table[fd], NULL);
}

struct http_connection *http_socket_of(int fd)
{
    return has_room(fd) ? atomic_load(&table[fd]) : NULL;
}

static ssize_t with_errno(ssize_t n)
{
    if (n >= 0)
        return n;
    errno = (int)-n;
    return -1;
}

static void early_free(struct http_connection *c)
{
    free(c->early);
    c->early = NULL;
    c->early_at = c->early_size = 0;
}

static size_t take_early(struct http_connection *c, void *data, size_t size)
{
    size_t n = c->early_size - c->early_at;

    if (n > size)
        n = size;
    memcpy(data, c->early + c->early_at, n);
    if ((c->early_at += n) == c->early_size)
        early_free(c);
    return n;
}

ssize_t http_socket_recv(struct http_connection *c, void *data, size_t size)
{
    ssize_t n;

    if (!c->tls)
        return recv(c->served_fd, data, size, MSG_DONTWAIT);
    n = c->early ? (ssize_t)take_early(c, data, size) : tls_connection_read(c->tls, data, size);
    if (n > 0)
        c->received += (uint64_t)n;
    return with_errno(n);
}

ssize_t http_socket_send(struct http_connection *c, const void *data, size_t size)
{
    if (!c->tls)
        return send(c->served_fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    return with_errno(tls_connection_write(c->tls, data, size));
}

ssize_t http_socket_peek(struct http_connection *c, char *scratch, const char **ret)
{
    ssize_t n;

    *ret = scratch;
    if (!c->tls) {
        n = recv(c->fd, scratch, HTTP_HEAD_MAX, MSG_PEEK | MSG_DONTWAIT);
        return n < 0 ? -errno : n;
    }
    if (!c->early && !(c->early = malloc(HTTP_HEAD_MAX)))
        return -ENOMEM;
    memmove(c->early, c->early + c->early_at, c->early_size - c->early_at);
    c->early_size -= c->early_at;
    c->early_at = 0;
    do {
        n = c->early_size == HTTP_HEAD_MAX
                ? 0
                : tls_connection_read(c->tls, c->early + c->early_size, HTTP_HEAD_MAX - c->early_size);
        c->early_size += n > 0 ? (size_t)n : 0;
    } while (n > 0 && c->stage != STAGE_SERVED); /* the front polls by edges: nothing may stay in the socket */
    *ret = c->early;
    if (c->early_size > 0 && (n > 0 || n == -EAGAIN || c->early_size == HTTP_HEAD_MAX))
        return (ssize_t)c->early_size;
    early_free(c);
    return n;
}

bool http_socket_has_read(const struct http_connection *c)
{
    return c->tls && (c->early || tls_connection_has_read(c->tls));
}

void http_socket_end(struct http_connection *c)
{
    if (c->tls)
        tls_connection_close(c->tls);
    shutdown(c->served_fd, SHUT_WR);
}

/* --- the library's calls ---------------------------------------------------------------------------------------------
 */

ssize_t http_library_recv(int fd, void *data, size_t size, int flags)
{
    struct http_connection *c = http_socket_of(fd);

    return c && c->tls ? http_socket_recv(c, data, size) : recv(fd, data, size, flags);
}

/* Without bytes it pushes what the kernel holds back. */
ssize_t http_library_send(int fd, const void *data, size_t size, int flags)
{
    struct http_connection *c = http_socket_of(fd);

    return c && c->tls && size > 0 ? http_socket_send(c, data, size) : send(fd, data, size, flags);
}

/* Head and body together, if they are short. */
ssize_t http_library_sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct http_connection *c = http_socket_of(fd);
    char both[2048];
    size_t size = 0;

    if (!c || !c->tls)
        return sendmsg(fd, message, flags);
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        const struct iovec *piece = &message->msg_iov[i];

        if (piece->iov_len > sizeof(both) - size)
            return http_socket_send(c, message->msg_iov->iov_base, message->msg_iov->iov_len);
        memcpy(both + size, piece->iov_base, piece->iov_len);
        size += piece->iov_len;
    }
    return http_socket_send(c, both, size);
}

/* A file that is cut while it is sent: sendfile(2) returns 0, which the library (0.9.75) takes for progress, and it
 * would try again for ever. */
ssize_t http_library_sendfile(int fd, int file, off_t *offset, size_t size)
{
    struct http_connection *c = http_socket_of(fd);
    ssize_t n;

    if (c && c->tls)
        return with_errno(tls_connection_send_file(c->tls, file, offset, size));
    n = sendfile(fd, file, offset, size);
    return n == 0 && size > 0 ? with_errno(-EIO) : n;
}

/* Both directions are shut down by other threads only, to break a connection off. */
int http_library_shutdown(int fd, int how)
{
    struct http_connection *c = http_socket_of(fd);

    if (!c || how != SHUT_WR)
        return shutdown(fd, how);
    http_socket_end(c);
    return 0;
}

/* A client that takes nothing is no reason to hold memory. */
static int wait_long(struct pollfd *fd)
{
    int r = poll(fd, 1, TRIM_MS);

    if (r != 0)
        return r;
    thread_trim_stack(HTTP_STACK_BYTES - HTTP_STACK_USED);
    return poll(fd, 1, -1);
}

int http_library_poll(struct pollfd *fds, unsigned long count, int timeout_ms)
{
    struct http_connection *c = count == 1 ? http_socket_of(fds->fd) : NULL;

    if (c && (fds->events & POLLIN) && http_socket_has_read(c)) {
        fds->revents = POLLIN;
        return 1;
    }
    return c && timeout_ms < 0 ? wait_long(fds) : poll(fds, count, timeout_ms);
}
