/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands before the server's library: one thread that accepts connections within limits, shakes hands (TLS), waits
 * until the first head is whole, hands the connection over, cuts off clients that are too slow, and at the end reads on
 * for a while, so that a client which still sends gets its answer and not a reset.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "net/http_connection.h"
#include "net/http_notices.h"
#include "net/tls_server.h"

struct http_front_options {
    int listen_fd; /* taken by http_front_start, on success */
    struct tls_server *tls;
    unsigned connections, connections_of_one;
    uint64_t client_ms; /* for a head; and for HTTP_PROGRESS_BYTES of a body or an answer */
    /* Hands c over: the library serves fd, and closes it in any case. 0 or -errno. */
    int (*serve)(void *ctx, struct http_connection *c, int fd);
    void *ctx;
    void (*notice)(void *notice_ctx, const struct http_notice *n); /* may be NULL, as the next */
    void (*certificate)(void *notice_ctx, const char *failure);    /* as in http_server.h */
    void *notice_ctx;
};

enum { HTTP_PROGRESS_BYTES = 16 * 1024 };

int http_front_start(const struct http_front_options *o, struct http_front **ret, struct err *e);

/* The library has closed what it served. c may be gone when this returns. Of any thread. */
void http_front_released(struct http_connection *c);

/* Accepts no more; connections without a request end. */
void http_front_drain(struct http_front *f);

/* Those that are handed over and not released. */
unsigned http_front_serving(const struct http_front *f);

/* Connections of any stage. */
unsigned http_front_count(const struct http_front *f);

/* Breaks off what is being served. */
void http_front_cut(struct http_front *f);

/* When nothing is served any more. */
void http_front_free(struct http_front *f);
