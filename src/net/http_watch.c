/* SPDX-License-Identifier: Apache-2.0
 *
 * By the kernel's counters of the client's socket, so that neither the library nor TLS is in the way.
 */
#include "net/http_watch.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "net/http_front.h"

/* Nothing lies in the socket: the client has taken all that we made so far. */
static bool has_taken_all(const struct http_connection *c)
{
    int queued;

    return ioctl(c->fd, SIOCOUTQ, &queued) < 0 || queued == 0;
}

int http_watch(struct http_connection *c, uint64_t now_ms)
{
    int waits = atomic_load(&c->waits);
    uint64_t received, acked, bytes;

    if (waits == WAITS_US || waits == WAITS_HEAD || !http_connection_counts(c, &received, &acked)) {
        c->progress_of = WAITS_US;
        return HTTP_WATCH_FINE;
    }
    bytes = waits == WAITS_BODY ? received : acked;
    if (c->progress_of != waits || bytes - c->progress_bytes >= HTTP_PROGRESS_BYTES ||
        (waits == WAITS_ANSWER && has_taken_all(c))) {
        c->progress_of = waits;
        c->progress_bytes = bytes;
        c->progress_since_ms = now_ms;
    }
    if (now_ms - c->progress_since_ms < c->client_ms)
        return HTTP_WATCH_FINE;
    return waits == WAITS_BODY ? HTTP_SLOW_SENDER : HTTP_SLOW_READER;
}
