/* SPDX-License-Identifier: Apache-2.0
 *
 * The stages of a connection, in one direction: handshake, head, served, lingering. While a plain connection is served,
 * the front does not poll it.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/http_front_inside.h"
#include "net/http_watch.h"

enum {
    TLS_CHECK_MS = 1000,
    LINGER_MS = 30 * 1000,
    LINGER_IDLE_MS = 5 * 1000,
    ALERT_MS = 1000, /* for a client to read why the handshake failed */
};

void http_stage_drop(struct http_connection *c)
{
    if (c->stage == STAGE_DEAD)
        return;
    c->stage = STAGE_DEAD;
    tls_relay_free(c->tls);
    free(c->early);
    http_front_unpoll(c->front, c->fd); /* the library's duplicate may still be open, and would keep it polled */
    close(c->fd);
    c->tls = NULL;
    c->early = NULL;
}

/* From now on whatever comes is thrown away. */
static void linger(struct http_connection *c)
{
    uint64_t now = clock_mono_ms();

    shutdown(c->fd, SHUT_WR);
    c->stage = STAGE_LINGER;
    c->until_ms = now + LINGER_MS;
    c->idle_until_ms = now + LINGER_IDLE_MS;
    tls_relay_free(c->tls);
    free(c->early);
    c->tls = NULL;
    c->early = NULL;
}

static void discard(struct http_connection *c)
{
    ssize_t n;

    while ((n = recv(c->fd, c->front->scratch, sizeof(c->front->scratch), MSG_DONTWAIT)) > 0)
        c->idle_until_ms = clock_mono_ms() + LINGER_IDLE_MS;
    if (n == 0 || errno != EAGAIN)
        http_stage_drop(c);
}

void http_stage_refuse(struct http_connection *c, unsigned status, const char *why)
{
    char text[HTTP_REFUSAL_MAX];
    size_t size = http_refusal(status, why, text);

    if (c->tls) {
        tls_relay_write(c->tls, text, size);
        tls_relay_close(c->tls);
    } else {
        (void)!send(c->fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    linger(c);
    discard(c);
}

void http_front_note(struct http_connection *c, enum http_reason reason)
{
    http_notices_add(&c->front->notices, reason, c->client, clock_mono_ms());
}

/* --- from the first byte to the library ------------------------------------------------------------------------------
 */

/* What the library gets: a duplicate of the client's socket, or the other end of the relay. -errno. */
static int served_end(struct http_connection *c)
{
    int ends[2], fd;

    if (!c->tls) {
        fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
        return fd < 0 ? -errno : fd;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -errno;
    if (send(ends[0], c->early, c->early_size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)c->early_size) {
        close(ends[0]);
        close(ends[1]);
        return -ENOBUFS;
    }
    tls_relay_join(c->tls, ends[0], c->early_size);
    http_front_poll(c->front, ends[0], c, EPOLLIN | EPOLLOUT | EPOLLET);
    return ends[1];
}

static void hand_over(struct http_connection *c)
{
    struct http_front *f = c->front;
    int fd = served_end(c), r;

    if (fd < 0 || (size_t)fd >= f->served_size) {
        if (fd >= 0)
            close(fd);
        http_front_note(c, HTTP_NO_DESCRIPTORS);
        http_stage_refuse(c, 503, "too many files are open");
        return;
    }
    free(c->early);
    c->early = NULL;
    c->served_fd = fd;
    c->expected = c->head.size + c->head.body_size;
    c->stage = STAGE_SERVED;
    c->until_ms = clock_mono_ms() + c->client_ms;
    if (!c->tls)
        http_front_unpoll(f, c->fd);
    pthread_mutex_lock(&f->lock);
    f->served[fd] = c;
    pthread_mutex_unlock(&f->lock);
    atomic_fetch_add(&f->serving, 1);
    if ((r = f->options.serve(f->options.ctx, c, fd)) < 0)
        http_front_released(c);
}

/* As much of the head as has come: -EAGAIN, 0 at the end of the connection. TLS keeps it; plain leaves it in the
 * socket. */
static ssize_t head_so_far(struct http_connection *c, const char **ret)
{
    ssize_t n = 0;

    *ret = c->front->scratch;
    if (!c->tls) {
        n = recv(c->fd, c->front->scratch, HTTP_HEAD_MAX, MSG_PEEK | MSG_DONTWAIT);
        return n < 0 ? -errno : n;
    }
    if (!c->early && !(c->early = malloc(HTTP_HEAD_MAX)))
        return -ENOMEM;
    *ret = c->early;
    while (c->early_size < HTTP_HEAD_MAX &&
           (n = tls_relay_read(c->tls, c->early + c->early_size, HTTP_HEAD_MAX - c->early_size)) > 0)
        c->early_size += (size_t)n;
    if (n <= 0 && n != -EAGAIN)
        return n;
    return c->early_size > 0 ? (ssize_t)c->early_size : -EAGAIN;
}

static void await_head(struct http_connection *c)
{
    const char *data, *why;
    ssize_t n = head_so_far(c, &data);
    int r;

    if (n == -EAGAIN)
        return;
    if (n <= 0) {
        http_stage_drop(c);
        return;
    }
    if ((r = http_request_head_check(data, (size_t)n, &c->head, &why)) > 0) {
        hand_over(c);
    } else if (r < 0) {
        http_front_note(c, HTTP_BAD_REQUEST);
        http_stage_refuse(c, (unsigned)-r, why);
    }
}

/* Probes of load balancers connect and close. The kernel counts the end as a byte. */
static bool has_sent_bytes(const struct http_connection *c)
{
    uint64_t received = 0, acked;

    return http_connection_counts(c, &received, &acked) && received > 1;
}

static void shake_hands(struct http_connection *c)
{
    int r = tls_relay_handshake(c->tls);

    if (r < 0) {
        if (has_sent_bytes(c))
            http_front_note(c, HTTP_BAD_HANDSHAKE);
        linger(c);
        c->until_ms = clock_mono_ms() + ALERT_MS;
        discard(c);
    } else if (r > 0) {
        c->stage = STAGE_HEAD;
        await_head(c);
    }
}

/* --- served ----------------------------------------------------------------------------------------------------------
 */

void http_stage_cut(struct http_connection *c)
{
    c->cut = true;
    shutdown(c->fd, SHUT_RDWR);
    if (c->tls) {
        /* Its counters may be read by the serving thread until the library has released the connection. */
        tls_relay_break(c->tls);
        c->relayed = true;
    }
}

static bool is_reset(const struct http_connection *c)
{
    int error = 0;
    char byte;
    socklen_t size = sizeof(error);

    return getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error ||
           (recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0 && errno != EAGAIN);
}

/* The library has closed its end, and the client has got all of it. */
static void finish(struct http_connection *c)
{
    if (c->cut) {
        http_stage_drop(c);
        return;
    }
    if (!c->tls)
        http_front_poll(c->front, c->fd, c, EPOLLIN | EPOLLET);
    if (!atomic_load(&c->begun) && !is_reset(c)) {
        http_front_note(c, HTTP_NO_THREADS);
        http_stage_refuse(c, 503, "no thread could be started for this");
        return;
    }
    if (c->tls)
        tls_relay_close(c->tls);
    linger(c);
    discard(c);
}

static void relay(struct http_connection *c)
{
    struct http_front *f = c->front;

    if (c->tls && !c->relayed) {
        switch (tls_relay_move(c->tls, f->scratch)) {
        case RELAY_WAITS:
            break;
        case RELAY_MORE:
            if (!c->ready) {
                c->ready = true;
                c->next_ready = f->ready;
                f->ready = c;
            }
            break;
        case RELAY_ENDED:
            c->relayed = true;
            break;
        case RELAY_BROKEN:
            http_stage_cut(c);
            break;
        }
    }
    if (c->released && (!c->tls || c->relayed))
        finish(c);
}

void http_stage_advance(struct http_connection *c)
{
    switch (c->stage) {
    case STAGE_HANDSHAKE:
        shake_hands(c);
        break;
    case STAGE_HEAD:
        await_head(c);
        break;
    case STAGE_SERVED:
        relay(c);
        break;
    case STAGE_LINGER:
        discard(c);
        break;
    case STAGE_DEAD:
        break;
    }
}

void http_front_released(struct http_connection *c)
{
    struct http_front *f = c->front;

    pthread_mutex_lock(&f->lock);
    c->next_released = f->released;
    f->released = c;
    pthread_mutex_unlock(&f->lock);
    eventfd_write(f->wake_fd, 1);
}

struct http_connection *http_front_served(struct http_front *f, int fd)
{
    struct http_connection *c;

    pthread_mutex_lock(&f->lock);
    c = fd >= 0 && (size_t)fd < f->served_size ? f->served[fd] : NULL;
    pthread_mutex_unlock(&f->lock);
    return c;
}

void http_stage_take_released(struct http_front *f)
{
    struct http_connection *c, *next;

    pthread_mutex_lock(&f->lock);
    c = f->released;
    f->released = NULL;
    pthread_mutex_unlock(&f->lock);
    for (; c; c = next) {
        next = c->next_released;
        c->released = true;
        atomic_fetch_sub(&f->serving, 1);
        relay(c);
    }
}

bool http_stage_begin_tls(struct http_connection *c)
{
    struct http_front *f = c->front;
    uint64_t now = clock_mono_ms();
    struct err e;
    int r;

    if (now - f->tls_checked_ms >= TLS_CHECK_MS) {
        f->tls_checked_ms = now;
        if ((r = tls_server_refresh(f->options.tls, &e)) != 0 && f->options.certificate)
            f->options.certificate(f->options.notice_ctx, r < 0 ? e.msg : NULL);
    }
    c->stage = STAGE_HANDSHAKE;
    c->tls = tls_relay_new(tls_server_connection(f->options.tls, c->fd));
    return c->tls != NULL;
}

static bool is_over(struct http_connection *c, uint64_t now)
{
    return now >= c->until_ms || (c->stage == STAGE_LINGER && now >= c->idle_until_ms);
}

static void too_late(struct http_connection *c)
{
    if (c->stage == STAGE_LINGER || !has_sent_bytes(c)) {
        http_stage_drop(c); /* nothing came: a connection for later */
        return;
    }
    http_front_note(c, HTTP_SLOW_HEAD);
    if (c->stage == STAGE_HEAD)
        http_stage_refuse(c, 408, "the rest of the request did not come");
    else
        http_stage_drop(c);
}

static void watch_served(struct http_connection *c, uint64_t now)
{
    int reason = atomic_load(&c->begun) ? http_watch(c, now) : is_over(c, now) ? HTTP_NO_THREADS : HTTP_WATCH_FINE;

    if (reason == HTTP_WATCH_FINE || c->cut)
        return;
    http_front_note(c, (enum http_reason)reason);
    http_stage_cut(c);
    relay(c);
}

void http_stage_watch(struct http_connection *c, uint64_t now)
{
    if (c->stage == STAGE_SERVED)
        watch_served(c, now);
    else if (c->stage != STAGE_DEAD && is_over(c, now))
        too_late(c);
}

void http_stage_move_ready(struct http_front *f)
{
    struct http_connection *c = f->ready, *next;

    f->ready = NULL;
    for (; c; c = next) {
        next = c->next_ready;
        c->ready = false;
        if (c->stage == STAGE_SERVED)
            relay(c);
    }
}
