/* SPDX-License-Identifier: Apache-2.0
 *
 * The sockets of served connections: plain ones by system calls, the others by TLS. Used by the serving thread; it is
 * the only one that reads and writes while the connection is served.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "net/http_connection.h"

struct pollfd;

/* Each returns what the system call of its name would, with errno, and never blocks. */
ssize_t http_socket_recv(struct http_connection *c, void *data, size_t size);
ssize_t http_socket_send(struct http_connection *c, const void *data, size_t size);

/* A head that comes: all that has come so far, which stays to be received. -errno; 0 at the end of the connection.
 * *ret: until the next call for c; scratch[HTTP_HEAD_MAX] is used for plain connections. */
ssize_t http_socket_peek(struct http_connection *c, char *scratch, const char **ret);

/* Whether something may be received though nothing is left in the socket. */
bool http_socket_has_read(const struct http_connection *c);

/* Nothing of ours follows. */
void http_socket_end(struct http_connection *c);

/* Connections by the descriptor that the library serves. Set before it is, and removed before it is closed. False: the
 * table ends before fd. Of any thread. */
bool http_socket_set(int fd, struct http_connection *c);
void http_socket_remove(int fd);
struct http_connection *http_socket_of(int fd);

/* The library's calls, by cmake/microhttpd/socket_calls.h. */
struct msghdr;
ssize_t http_library_recv(int fd, void *data, size_t size, int flags);
ssize_t http_library_send(int fd, const void *data, size_t size, int flags);
ssize_t http_library_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t http_library_sendfile(int fd, int file, off_t *offset, size_t size);
int http_library_shutdown(int fd, int how);
int http_library_poll(struct pollfd *fds, unsigned long count, int timeout_ms);
