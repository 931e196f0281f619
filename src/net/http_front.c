/* SPDX-License-Identifier: Apache-2.0
 *
 * A loop on epoll, edge-triggered, and its start and end.
 */
#include "net/http_front.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "net/http_front_inside.h"

enum {
    STACK_BYTES = 256 * 1024,
    EVENTS = 64,
    TICK_MS = 1000,
};

void http_front_poll(struct http_front *f, int fd, void *what, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = what};

    epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

void http_front_unpoll(struct http_front *f, int fd)
{
    epoll_ctl(f->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static void tick(struct http_front *f, uint64_t now)
{
    f->tick_ms = now;
    for (struct http_connection *c = f->all; c; c = c->next)
        http_stage_watch(c, now);
    http_notices_flush(&f->notices, now, 0);
    http_front_listen(f, true);
}

static void drain(struct http_front *f)
{
    http_front_listen(f, false);
    if (f->options.listen_fd >= 0)
        close(f->options.listen_fd);
    f->options.listen_fd = -1;
    for (struct http_connection *c = f->all; c; c = c->next) {
        if (c->stage == STAGE_HANDSHAKE || c->stage == STAGE_HEAD)
            http_stage_drop(c);
        else if (c->stage == STAGE_SERVED && atomic_load(&f->cutting) && !c->cut)
            http_stage_cut(c);
    }
}

static void bury(struct http_front *f)
{
    struct http_connection **at = &f->all, *c;

    while ((c = *at)) {
        if (c->stage != STAGE_DEAD) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        free(c);
        atomic_fetch_sub(&f->count, 1);
    }
}

static int wait_ms(const struct http_front *f)
{
    uint64_t now = clock_mono_ms();

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
                http_front_accept(f);
            else if (events[i].data.ptr == f)
                eventfd_read(f->wake_fd, &woken);
            else
                http_stage_advance(events[i].data.ptr);
        }
        http_stage_take_released(f);
        if (atomic_load(&f->draining))
            drain(f);
        if (now - f->tick_ms >= TICK_MS)
            tick(f, now);
        bury(f);
    }
    return NULL;
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
    f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    f->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (f->epoll_fd >= 0 && f->wake_fd >= 0 && f->stop_fd >= 0) {
        fcntl(o->listen_fd, F_SETFL, O_NONBLOCK);
        http_front_poll(f, f->wake_fd, f, EPOLLIN);
        http_front_listen(f, true);
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
    for (struct http_connection *c = f->all; c; c = c->next)
        http_stage_drop(c);
    bury(f);
    if (f->options.listen_fd >= 0)
        close(f->options.listen_fd);
    front_release(f);
}
