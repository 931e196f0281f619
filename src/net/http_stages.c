/* SPDX-License-Identifier: Apache-2.0
 *
 * The stages of a connection, in one direction: handshake, head, served, lingering. While a connection is served, the
 * front does not poll it.
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
#include "net/http_socket.h"
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
    tls_connection_free(c->tls);
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
    tls_connection_free(c->tls);
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
        (void)!tls_connection_write(c->tls, text, size);
        tls_connection_close(c->tls);
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

static void hand_over(struct http_connection *c)
{
    struct http_front *f = c->front;
    int fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);

    if (fd < 0 || !http_socket_set(fd, c)) {
        if (fd >= 0)
            close(fd);
        http_front_note(c, HTTP_NO_DESCRIPTORS);
        http_stage_refuse(c, 503, "too many files are open");
        return;
    }
    c->served_fd = fd;
    c->expected = c->head.size + c->head.body_size;
    c->stage = STAGE_SERVED;
    c->until_ms = clock_mono_ms() + c->client_ms;
    http_front_unpoll(f, c->fd);
    atomic_fetch_add(&f->serving, 1);
    if (f->options.serve(f->options.ctx, c, fd) < 0)
        http_front_released(c);
}

static void await_head(struct http_connection *c)
{
    const char *data, *why;
    ssize_t n = http_socket_peek(c, c->front->scratch, &data);
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
    int r = tls_connection_handshake(c->tls);

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
}

static bool is_reset(const struct http_connection *c)
{
    int error = 0;
    char byte;
    socklen_t size = sizeof(error);

    return getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error ||
           (recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0 && errno != EAGAIN);
}

/* The library has released the connection. */
static void finish(struct http_connection *c)
{
    if (c->cut) {
        http_stage_drop(c);
        return;
    }
    http_front_poll(c->front, c->fd, c, EPOLLIN | EPOLLET);
    if (!atomic_load(&c->begun) && !is_reset(c)) {
        http_front_note(c, HTTP_NO_THREADS);
        http_stage_refuse(c, 503, "no thread could be started for this");
        return;
    }
    linger(c);
    discard(c);
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

    http_socket_remove(c->served_fd);
    pthread_mutex_lock(&f->lock);
    c->next_released = f->released;
    f->released = c;
    pthread_mutex_unlock(&f->lock);
    eventfd_write(f->wake_fd, 1);
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
        atomic_fetch_sub(&f->serving, 1);
        finish(c);
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
    c->tls = tls_connection_new(tls_server_connection(f->options.tls, c->fd));
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
}

void http_stage_watch(struct http_connection *c, uint64_t now)
{
    if (c->stage == STAGE_SERVED)
        watch_served(c, now);
    else if (c->stage != STAGE_DEAD && is_over(c, now))
        too_late(c);
}
