/* SPDX-License-Identifier: Apache-2.0
 *
 * The serving thread's part, and what is counted.
 */
#include "net/http_connection.h"

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/http_socket.h"

enum { PAUSE_MAX_MS = 64 };

bool http_connection_counts(const struct http_connection *c, uint64_t *ret_received, uint64_t *ret_acked)
{
    struct tcp_info info;
    socklen_t size = sizeof(info);

    if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
        size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received))
        return false;
    *ret_received = info.tcpi_bytes_received;
    *ret_acked = info.tcpi_bytes_acked;
    return true;
}

/* Bytes that the library has read. */
static bool consumed(const struct http_connection *c, uint64_t *ret)
{
    uint64_t before, after, acked;
    int queued;

    if (c->tls) {
        *ret = c->received;
        return true;
    }
    do
        if (!http_connection_counts(c, &before, &acked) || ioctl(c->served_fd, FIONREAD, &queued) < 0 ||
            !http_connection_counts(c, &after, &acked))
            return false;
    while (before != after);
    *ret = before - (uint64_t)queued;
    return true;
}

bool http_connection_persists(struct http_connection *c)
{
    struct pollfd stop = {.fd = c->stop_fd, .events = POLLIN};
    uint64_t read;

    if (!c->head.persistent || c->head.chunked || poll(&stop, 1, 0) > 0 || !consumed(c, &read) || read > c->expected)
        c->last = true;
    return !c->last;
}

uint64_t http_connection_written(const struct http_connection *c)
{
    uint64_t received, acked;
    int queued = 0;

    if (c->tls)
        return tls_connection_written(c->tls);
    if (!http_connection_counts(c, &received, &acked) || ioctl(c->fd, SIOCOUTQ, &queued) < 0)
        return 0;
    return acked + (uint64_t)queued;
}

size_t http_refusal(unsigned status, const char *why, char *out)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } rows[] = {{400, "Bad Request"},         {408, "Request Timeout"},     {413, "Content Too Large"},
                {414, "URI Too Long"},        {417, "Expectation Failed"},  {431, "Request Header Fields Too Large"},
                {501, "Not Implemented"},     {503, "Service Unavailable"}, {505, "HTTP Version Not Supported"},
                {507, "Insufficient Storage"}};
    const char *phrase = "Refused";
    int n;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].status == status)
            phrase = rows[i].phrase;
    n = snprintf(out, HTTP_REFUSAL_MAX,
                 "HTTP/1.1 %u %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n%sConnection: "
                 "close\r\n\r\n%s\n",
                 status, phrase, strlen(why) + 1, status == 503 ? "Retry-After: 5\r\n" : "", why);
    assert(n > 0 && n < HTTP_REFUSAL_MAX);
    return (size_t)n;
}

/* The library reads what is there, and its handler then ends the connection. */
static bool end(struct http_connection *c, unsigned status, const char *why)
{
    char text[HTTP_REFUSAL_MAX];
    size_t size;

    c->last = true;
    if (status) {
        size = http_refusal(status, why, text);
        (void)!http_socket_send(c, text, size);
        http_socket_end(c);
    } else {
        shutdown(c->served_fd, SHUT_RDWR);
    }
    return false;
}

/* 1: whole, 0: not yet, -1: the connection ends. *some: a part of it has come. */
static int peek(struct http_connection *c, char *scratch, bool *some)
{
    const char *data, *why;
    ssize_t n = http_socket_peek(c, scratch, &data);
    int r;

    if (n == -EAGAIN)
        return 0;
    *some = n > 0;
    if (n <= 0) {
        c->last = true;
        return -1;
    }
    if ((r = http_request_head_check(data, (size_t)n, &c->head, &why)) < 0)
        end(c, (unsigned)-r, why);
    return r < 0 ? -1 : r;
}

bool http_connection_next(struct http_connection *c)
{
    uint64_t until = clock_mono_ms() + c->client_ms, pause = 1;
    struct pollfd fds[] = {{.fd = c->served_fd, .events = POLLIN}, {.fd = c->stop_fd, .events = POLLIN}};
    bool some = false, wait = !http_socket_has_read(c);

    atomic_store(&c->waits, WAITS_HEAD);
    for (;;) {
        CLEANUP_FREE char *data = NULL;
        int r;

        r = wait ? poll(fds, ARRAY_SIZE(fds), (int)clock_left_ms(until)) : 1;
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0 || (wait && !fds[0].revents))
            return end(c, some ? 408 : 0, "the rest of the request did not come");
        if (!c->tls && !(data = malloc(HTTP_HEAD_MAX)))
            return end(c, 503, "out of memory");
        if ((r = peek(c, data, &some)) < 0)
            return false;
        if (r > 0)
            break;
        if (clock_left_ms(until) == 0)
            return end(c, some ? 408 : 0, "the rest of the request did not come");
        wait = true;
        if (c->tls)
            continue;
        clock_sleep_ms(pause); /* a part of a head: polling returns at once */
        pause = pause < PAUSE_MAX_MS ? 2 * pause : pause;
    }
    c->expected += c->head.size + c->head.body_size;
    atomic_store(&c->waits, WAITS_US);
    return true;
}
