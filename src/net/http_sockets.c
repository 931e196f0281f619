/* SPDX-License-Identifier: Apache-2.0
 *
 * SIOCOUTQ and TCP_INFO.
 */
#include "net/http_sockets.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* libcurl's own socket() forgets SOCK_CLOEXEC. */
static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_sockets *s = ctx;
    curl_socket_t fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    (void)purpose;
    for (size_t i = 0; i < HTTP_SOCKETS_MAX && fd >= 0; i++)
        if (s->fd[i] < 0) {
            s->fd[i] = fd;
            break;
        }
    return fd;
}

static int on_close(void *ctx, curl_socket_t fd)
{
    struct http_sockets *s = ctx;
    for (size_t i = 0; i < HTTP_SOCKETS_MAX; i++)
        if (s->fd[i] == fd)
            s->fd[i] = -1;
    return close(fd);
}

CURLcode http_sockets_init(struct http_sockets *s, CURL *c)
{
    CURLcode r = curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_open);
    for (size_t i = 0; i < HTTP_SOCKETS_MAX; i++)
        s->fd[i] = -1;
    r = r ? r : curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, s);
    r = r ? r : curl_easy_setopt(c, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    return r ? r : curl_easy_setopt(c, CURLOPT_CLOSESOCKETDATA, s);
}

uint64_t http_sockets_unsent(const struct http_sockets *s)
{
    uint64_t unsent = 0;
    for (size_t i = 0; i < HTTP_SOCKETS_MAX; i++) {
        int queued = 0;
        if (s->fd[i] >= 0 && ioctl(s->fd[i], SIOCOUTQ, &queued) == 0)
            unsent += (unsigned)queued;
    }
    return unsent;
}

uint64_t http_sockets_received(const struct http_sockets *s)
{
    uint64_t received = 0;
    for (size_t i = 0; i < HTTP_SOCKETS_MAX; i++) {
        struct tcp_info info = {0};
        socklen_t size = sizeof(info);
        if (s->fd[i] >= 0 && getsockopt(s->fd[i], IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
            received += info.tcpi_bytes_received;
    }
    return received;
}
