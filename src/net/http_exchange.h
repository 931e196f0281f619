/* SPDX-License-Identifier: Apache-2.0
 *
 * One request and its answer, inside: shared by http_server.c, which runs it, and http_exchange.c, its handler's side
 * (http_server.h).
 */
#pragma once

#include <microhttpd.h>

#include "net/http_connection.h"
#include "net/http_server.h"

enum { EXCHANGE_HEADERS_MAX = 32 };

struct http_server {
    struct http_server_options options;
    struct http_front *front;
    struct tls_server *tls;
    struct MHD_Daemon *daemon;
    char address[HTTP_LISTEN_MAX];
};

/* A decoded value: the library's unescape callback cannot tell it from the path. */
struct query {
    struct query *next;
    char value[];
};

struct exchange {
    struct http_server *server;
    struct http_connection *client;
    struct MHD_Connection *connection;
    const char *method, *path;
    const struct exchange_body *body;
    void *state;
    void (*state_done)(void *state);
    struct {
        char *name, *value;
    } header[EXCHANGE_HEADERS_MAX];
    unsigned header_count, status;
    struct query *first_query; /* of those that were asked for */
    struct query **queries;    /* points to that */
    uint64_t answer_size;      /* of the body; what a stream has made so far */
    uint64_t head_size;        /* of the answer, as the library will write it, or a little less */
    uint64_t written;          /* of the connection, before the answer */
    bool begun, answered;
    bool in_body;  /* the library takes no answer now: it is written by hand, and the connection ends */
    bool is_short; /* a stream ended before its size */
    int file_fd;   /* the library's, until the exchange is over; -1: none */
    uint64_t file_end;
    bool is_early; /* the answer comes before a body that was not read */
};

/* Body bytes of the answer that were sent: all, if the exchange was completed, or what the connection's counters say.
 */
uint64_t exchange_sent(const struct exchange *x, bool completed);

/* Whether the body that was announced could not be made: a stream that failed, a file that was cut. The library reports
 * such an exchange as completed, and closes the connection. */
bool exchange_is_short(const struct exchange *x);

void exchange_free(struct exchange *x);
