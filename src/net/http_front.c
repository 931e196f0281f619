/* SPDX-License-Identifier: Apache-2.0
 *
 * A loop on epoll, edge-triggered. A connection goes through its stages in one direction: handshake, head, served,
 * lingering. While a plain connection is served, the loop does not poll it.
 */
#include "net/http_front.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "net/http_watch.h"

enum {
    STACK_BYTES = 256 * 1024,
    EVENTS = 64,
    TICK_MS = 1000,
    REFUSED_SPARE = 64, /* connections above the limit that are told so */
    LINGER_MS = 30 * 1000,
    LINGER_IDLE_MS = 5 * 1000,
    ALERT_MS = 1000, /* for a client to read why the handshake failed */
    ACCEPTS = 64,    /* of one turn */
    DESCRIPTORS_MAX = 1 << 20,
};

struct http_front {
    struct http_front_options options;
    pthread_t thread;
    int epoll_fd, wake_fd, stop_fd;
    _Atomic bool draining, cutting, ending;
    _Atomic unsigned count, serving;
    struct http_connection *all, *ready;
    pthread_mutex_t lock; /* of released and served */
    struct http_connection *released;
    struct http_connection **served; /* by descriptor */
    size_t served_size;
    struct http_notices notices;
    bool listening; /* the listener is polled */
    uint64_t tick_ms, tls_checked_ms;
    char scratch[RELAY_BYTES]; /* larger than HTTP_HEAD_MAX */
};

static void poll_for(struct http_front *f, int fd, void *what, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = what};

    epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void unpoll(struct http_front *f, int fd)
{
    epoll_ctl(f->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static void listen_again(struct http_front *f)
{
    if (f->listening || atomic_load(&f->draining))
        return;
    poll_for(f, f->options.listen_fd, NULL, EPOLLIN);
    f->listening = true;
}

static void listen_no_more(struct http_front *f)
{
    if (f->listening)
        unpoll(f, f->options.listen_fd);
    f->listening = false;
}

static void drop(struct http_connection *c)
{
    if (c->stage == STAGE_DEAD)
        return;
    c->stage = STAGE_DEAD;
    tls_relay_free(c->tls);
    free(c->early);
    unpoll(c->front, c->fd); /* the library's duplicate may still be open, and would keep it polled */
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
        drop(c);
}

static void refuse(struct http_connection *c, unsigned status, const char *why)
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

static void note(struct http_connection *c, enum http_reason reason)
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
    poll_for(c->front, ends[0], c, EPOLLIN | EPOLLOUT | EPOLLET);
    return ends[1];
}

static void hand_over(struct http_connection *c)
{
    struct http_front *f = c->front;
    int fd = served_end(c), r;

    if (fd < 0 || (size_t)fd >= f->served_size) {
        if (fd >= 0)
            close(fd);
        note(c, HTTP_NO_DESCRIPTORS);
        refuse(c, 503, "too many files are open");
        return;
    }
    free(c->early);
    c->early = NULL;
    c->served_fd = fd;
    c->expected = c->head.size + c->head.body_size;
    c->stage = STAGE_SERVED;
    c->until_ms = clock_mono_ms() + c->client_ms;
    if (!c->tls)
        unpoll(f, c->fd);
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
        drop(c);
        return;
    }
    if ((r = http_request_head_check(data, (size_t)n, &c->head, &why)) > 0) {
        hand_over(c);
    } else if (r < 0) {
        note(c, HTTP_BAD_REQUEST);
        refuse(c, (unsigned)-r, why);
    }
}

static void shake_hands(struct http_connection *c)
{
    int r = tls_relay_handshake(c->tls);

    if (r < 0) {
        note(c, HTTP_BAD_HANDSHAKE);
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

static void cut(struct http_connection *c)
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
        drop(c);
        return;
    }
    if (!c->tls)
        poll_for(c->front, c->fd, c, EPOLLIN | EPOLLET);
    if (!atomic_load(&c->begun) && !is_reset(c)) {
        note(c, HTTP_NO_THREADS);
        refuse(c, 503, "no thread could be started for this");
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
            cut(c);
            break;
        }
    }
    if (c->released && (!c->tls || c->relayed))
        finish(c);
}

static void advance(struct http_connection *c)
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

static void take_released(struct http_front *f)
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

/* --- accepting -------------------------------------------------------------------------------------------------------
 */

/* One client may have a whole /64 of IPv6. */
static bool same_client(const union http_address *a, const union http_address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr) ? 16 : 8) == 0;
}

static unsigned count_of(const struct http_front *f, const union http_address *address)
{
    unsigned count = 0;

    for (const struct http_connection *c = f->all; c; c = c->next)
        if (c->stage != STAGE_DEAD && same_client(&c->address, address))
            count++;
    return count;
}

static void set_options(int fd, uint64_t client_ms)
{
    int on = 1, seconds = 60;
    unsigned ms = 2 * (unsigned)client_ms; /* for peers that are gone: the others we cut off ourselves, before */

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

static struct http_connection *connection_new(struct http_front *f, int fd, const union http_address *address)
{
    struct http_connection *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->front = f;
    c->fd = fd;
    c->served_fd = -1;
    c->stop_fd = f->stop_fd;
    c->address = *address;
    c->address_size = address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
    listen_address_format(&address->any, false, c->client);
    c->client_ms = f->options.client_ms;
    c->until_ms = clock_mono_ms() + c->client_ms;
    c->stage = STAGE_HEAD;
    c->next = f->all;
    f->all = c;
    atomic_fetch_add(&f->count, 1);
    return c;
}

static bool start_tls(struct http_connection *c)
{
    struct http_front *f = c->front;
    uint64_t now = clock_mono_ms();
    struct err e;
    int r;

    if (now - f->tls_checked_ms >= TICK_MS) {
        f->tls_checked_ms = now;
        if ((r = tls_server_refresh(f->options.tls, &e)) != 0 && f->options.certificate)
            f->options.certificate(f->options.notice_ctx, r < 0 ? e.msg : NULL);
    }
    c->stage = STAGE_HANDSHAKE;
    c->tls = tls_relay_new(tls_server_connection(f->options.tls, c->fd));
    return c->tls != NULL;
}

static void welcome(struct http_front *f, int fd, const union http_address *address)
{
    unsigned count = atomic_load(&f->count), of_one = count_of(f, address);
    bool too_many = count >= f->options.connections, of_one_too_many = of_one >= f->options.connections_of_one;
    struct http_connection *c;

    set_options(fd, f->options.client_ms);
    if (!(c = connection_new(f, fd, address))) {
        close(fd);
        return;
    }
    poll_for(f, fd, c, EPOLLIN | EPOLLOUT | EPOLLET);
    if (too_many || of_one_too_many) {
        note(c, too_many ? HTTP_TOO_MANY : HTTP_TOO_MANY_OF_ONE);
        if (!f->options.tls && count < f->options.connections + REFUSED_SPARE &&
            of_one < f->options.connections_of_one + REFUSED_SPARE)
            refuse(c, 503, "too many connections");
        else
            drop(c);
    } else if (f->options.tls && !start_tls(c)) {
        drop(c);
    } else {
        advance(c);
    }
}

static void accept_some(struct http_front *f)
{
    for (unsigned i = 0; i < ACCEPTS; i++) {
        union http_address address = {0};
        socklen_t size = sizeof(address);
        int fd = accept4(f->options.listen_fd, &address.any, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            welcome(f, fd, &address);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            http_notices_add(&f->notices, HTTP_NO_DESCRIPTORS, "", clock_mono_ms());
            listen_no_more(f); /* until the next tick */
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

/* --- the loop --------------------------------------------------------------------------------------------------------
 */

static bool is_over(struct http_connection *c, uint64_t now)
{
    return now >= c->until_ms || (c->stage == STAGE_LINGER && now >= c->idle_until_ms);
}

static void too_late(struct http_connection *c)
{
    uint64_t received = 0, acked;

    if (c->stage == STAGE_LINGER || !http_connection_counts(c, &received, &acked) || received == 0) {
        drop(c); /* nothing came: a connection for later */
        return;
    }
    note(c, HTTP_SLOW_HEAD);
    if (c->stage == STAGE_HEAD)
        refuse(c, 408, "the rest of the request did not come");
    else
        drop(c);
}

static void watch_served(struct http_connection *c, uint64_t now)
{
    int reason = atomic_load(&c->begun) ? http_watch(c, now) : is_over(c, now) ? HTTP_NO_THREADS : HTTP_WATCH_FINE;

    if (reason == HTTP_WATCH_FINE || c->cut)
        return;
    note(c, (enum http_reason)reason);
    cut(c);
    relay(c);
}

static void tick(struct http_front *f, uint64_t now)
{
    f->tick_ms = now;
    for (struct http_connection *c = f->all; c; c = c->next) {
        if (c->stage == STAGE_SERVED)
            watch_served(c, now);
        else if (c->stage != STAGE_DEAD && is_over(c, now))
            too_late(c);
    }
    http_notices_flush(&f->notices, now, 0);
    listen_again(f);
}

static void drain(struct http_front *f)
{
    listen_no_more(f);
    if (f->options.listen_fd >= 0)
        close(f->options.listen_fd);
    f->options.listen_fd = -1;
    for (struct http_connection *c = f->all; c; c = c->next) {
        if (c->stage == STAGE_HANDSHAKE || c->stage == STAGE_HEAD)
            drop(c);
        else if (c->stage == STAGE_SERVED && atomic_load(&f->cutting) && !c->cut)
            cut(c);
    }
}

static void bury(struct http_front *f)
{
    struct http_connection **at = &f->all, *c;

    while ((c = *at)) {
        if (c->stage != STAGE_DEAD || c->ready) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        free(c);
        atomic_fetch_sub(&f->count, 1);
    }
}

static void move_ready(struct http_front *f)
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

static int wait_ms(const struct http_front *f)
{
    uint64_t now = clock_mono_ms();

    if (f->ready)
        return 0;
    if (!f->all && (f->listening || atomic_load(&f->draining)))
        return -1;
    return now - f->tick_ms >= TICK_MS ? 0 : (int)(TICK_MS - (now - f->tick_ms));
}

static void *run(void *ctx)
{
    struct http_front *f = ctx;
    struct epoll_event events[EVENTS];
    eventfd_t woken;

    while (!atomic_load(&f->ending)) {
        int n = epoll_wait(f->epoll_fd, events, EVENTS, wait_ms(f));
        uint64_t now = clock_mono_ms();

        for (int i = 0; i < n; i++) {
            if (!events[i].data.ptr)
                accept_some(f);
            else if (events[i].data.ptr == f)
                eventfd_read(f->wake_fd, &woken);
            else
                advance(events[i].data.ptr);
        }
        take_released(f);
        move_ready(f);
        if (atomic_load(&f->draining))
            drain(f);
        if (now - f->tick_ms >= TICK_MS)
            tick(f, now);
        bury(f);
    }
    return NULL;
}

static size_t descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > DESCRIPTORS_MAX)
        return DESCRIPTORS_MAX;
    return (size_t)limit.rlim_cur;
}

static void front_release(struct http_front *f)
{
    if (f->epoll_fd >= 0)
        close(f->epoll_fd);
    if (f->wake_fd >= 0)
        close(f->wake_fd);
    if (f->stop_fd >= 0)
        close(f->stop_fd);
    pthread_mutex_destroy(&f->lock);
    free(f->served);
    free(f);
}

int http_front_start(const struct http_front_options *o, struct http_front **ret, struct err *e)
{
    struct http_front *f = calloc(1, sizeof(*f));
    int r = -ENOMEM;

    assert(o->listen_fd >= 0 && o->serve && o->connections && o->connections_of_one && o->client_ms);
    if (!f)
        return err_set(e, -ENOMEM, "out of memory");
    f->options = *o;
    f->notices = (struct http_notices){.report = o->notice, .ctx = o->notice_ctx};
    pthread_mutex_init(&f->lock, NULL);
    f->served_size = descriptors();
    f->served = calloc(f->served_size, sizeof(struct http_connection *)); /* untouched pages cost nothing */
    f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    f->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (f->served && f->epoll_fd >= 0 && f->wake_fd >= 0 && f->stop_fd >= 0) {
        fcntl(o->listen_fd, F_SETFL, O_NONBLOCK);
        poll_for(f, f->wake_fd, f, EPOLLIN);
        listen_again(f);
        if ((r = thread_start(&f->thread, STACK_BYTES, run, f)) == 0) {
            *ret = f;
            return 0;
        }
    }
    front_release(f);
    return err_set(e, r, "the server could not be started: %s", strerror(-r));
}

void http_front_drain(struct http_front *f)
{
    atomic_store(&f->draining, true);
    eventfd_write(f->stop_fd, 1);
    eventfd_write(f->wake_fd, 1);
}

unsigned http_front_serving(const struct http_front *f)
{
    return atomic_load(&f->serving);
}

unsigned http_front_count(const struct http_front *f)
{
    return atomic_load(&f->count);
}

void http_front_cut(struct http_front *f)
{
    atomic_store(&f->cutting, true);
    eventfd_write(f->wake_fd, 1);
}

void http_front_free(struct http_front *f)
{
    if (!f)
        return;
    atomic_store(&f->ending, true);
    eventfd_write(f->wake_fd, 1);
    pthread_join(f->thread, NULL);
    http_notices_flush(&f->notices, clock_mono_ms(), 1);
    for (struct http_connection *c = f->all; c; c = c->next) {
        drop(c);
        c->ready = false;
    }
    bury(f);
    if (f->options.listen_fd >= 0)
        close(f->options.listen_fd);
    front_release(f);
}
