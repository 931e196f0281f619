/* SPDX-License-Identifier: Apache-2.0
 *
 * New connections, within limits. Without descriptors the listener rests until the next tick.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/http_front_inside.h"

enum {
    REFUSED_SPARE = 64, /* connections above the limit that get an answer */
    ACCEPTS = 64,       /* of one turn */
};

void http_front_listen(struct http_front *f, bool on)
{
    if (on == f->listening || (on && atomic_load(&f->draining)))
        return;
    if (on)
        http_front_poll(f, f->options.listen_fd, NULL, EPOLLIN);
    else
        http_front_unpoll(f, f->options.listen_fd);
    f->listening = on;
}

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
    http_front_poll(f, fd, c, EPOLLIN | EPOLLOUT | EPOLLET);
    if (too_many || of_one_too_many) {
        http_front_note(c, too_many ? HTTP_TOO_MANY : HTTP_TOO_MANY_OF_ONE);
        if (!f->options.tls && count < f->options.connections + REFUSED_SPARE &&
            of_one < f->options.connections_of_one + REFUSED_SPARE)
            http_stage_refuse(c, 503, "too many connections");
        else
            http_stage_drop(c);
    } else if (f->options.tls && !http_stage_begin_tls(c)) {
        http_stage_drop(c);
    } else {
        http_stage_advance(c);
    }
}

void http_front_accept(struct http_front *f)
{
    for (unsigned i = 0; i < ACCEPTS; i++) {
        union http_address address = {0};
        socklen_t size = sizeof(address);
        int fd = accept4(f->options.listen_fd, &address.any, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            welcome(f, fd, &address);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            http_notices_add(&f->notices, HTTP_NO_DESCRIPTORS, "", clock_mono_ms());
            http_front_listen(f, false); /* until the next tick */
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}
