/* SPDX-License-Identifier: Apache-2.0
 *
 * The library's calls on connections come to us (src/net/http_socket.h), which speaks TLS where it is wanted: the
 * library has GnuTLS only. No file of the library reads or writes another socket.
 */
#define _GNU_SOURCE 1
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/types.h>

ssize_t http_library_recv(int fd, void *data, size_t size, int flags);
ssize_t http_library_send(int fd, const void *data, size_t size, int flags);
ssize_t http_library_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t http_library_sendfile(int fd, int file, off_t *offset, size_t size);
int http_library_shutdown(int fd, int how);
int http_library_poll(struct pollfd *fds, unsigned long count, int timeout_ms);

#define recv(fd, data, size, flags) http_library_recv(fd, data, size, flags)
#define send(fd, data, size, flags) http_library_send(fd, data, size, flags)
#define sendmsg(fd, message, flags) http_library_sendmsg(fd, message, flags)
#define sendfile64(fd, file, offset, size) http_library_sendfile(fd, file, offset, size)
#define shutdown(fd, how) http_library_shutdown(fd, how)
#define poll http_library_poll
