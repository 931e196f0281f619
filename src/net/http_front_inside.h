/* SPDX-License-Identifier: Apache-2.0
 *
 * The front, inside: what its loop (http_front.c), accepting (http_accept.c) and the stages of a connection
 * (http_stages.c) share. All but what is atomic or behind the lock belongs to the front's thread.
 */
#pragma once

#include <pthread.h>

#include "net/http_front.h"

struct http_front {
    struct http_front_options options;
    pthread_t thread;
    int epoll_fd, wake_fd, stop_fd;
    _Atomic bool draining, cutting, ending;
    _Atomic unsigned count, serving;
    struct http_connection *all;
    pthread_mutex_t lock; /* of released */
    struct http_connection *released;
    struct http_notices notices;
    bool listening; /* the listener is polled */
    uint64_t tick_ms, tls_checked_ms;
    char scratch[HTTP_HEAD_MAX];
};

/* Edge-triggered for connections: `what` is the connection; NULL the listener, the front itself its eventfd. */
void http_front_poll(struct http_front *f, int fd, void *what, uint32_t events);
void http_front_unpoll(struct http_front *f, int fd);

void http_front_accept(struct http_front *f);
void http_front_listen(struct http_front *f, bool on);

/* Goes on with what its stage waits for. */
void http_stage_advance(struct http_connection *c);

/* Begins TLS. False: out of memory. */
bool http_stage_begin_tls(struct http_connection *c);

/* Answers and lingers; ends at once; breaks off what is being served. */
void http_stage_refuse(struct http_connection *c, unsigned status, const char *why);
void http_stage_drop(struct http_connection *c);
void http_stage_cut(struct http_connection *c);

/* About once a second: what has taken too long. */
void http_stage_watch(struct http_connection *c, uint64_t now_ms);

/* Those that the library has released. */
void http_stage_take_released(struct http_front *f);

void http_front_note(struct http_connection *c, enum http_reason reason);
