/* SPDX-License-Identifier: Apache-2.0
 *
 * An HTTP server (libmicrohttpd): one thread for each connection, so handlers may block: on a disk, a store, an API
 * server. Bodies are streamed both ways. Knows nothing of keys, rights or pages. docs/decisions.md says why this
 * library.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "net/http_notices.h"

struct http_server;
struct exchange; /* one request and its answer; used by the thread of its connection only */

struct http_server_options {
    const char *listen;          /* "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:0": the kernel chooses a port */
    const char *tls_cert;        /* PEM files, read again when they change; NULL: plain HTTP */
    const char *tls_key;         /* NULL with tls_cert NULL */
    unsigned connections;        /* in all; 0: 1000 */
    unsigned connections_of_one; /* from one address; 0: 200 */
    uint64_t client_ms; /* in this time a client sends a whole head, and sends or takes 16 KiB of a body while we wait
                           for it; else it is cut off. 0: 60 s */
    /* A request's head has come: answers now (then a body that follows is refused, before it is sent where the client
     * waits for that: Expect), or calls exchange_receive. Without either the answer is 500. Called on many threads. */
    void (*begin)(void *ctx, struct exchange *x);
    /* An exchange is over: status 0 if the connection broke before the answer was sent. sent_bytes: of the answer's
     * body; if the connection broke, what had gone into the network (within the size of a head). May be NULL. */
    void (*over)(void *ctx, struct exchange *x, unsigned status, uint64_t sent_bytes);
    /* Connections that were refused or cut off (http_notices.h), and a certificate that was read again: NULL, or why
     * the one of before is kept. Called by a thread of the server. May be NULL. */
    void (*notice)(void *ctx, const struct http_notice *n);
    void (*certificate)(void *ctx, const char *failure);
    void *ctx;
};

enum { HTTP_LISTEN_MAX = 64, HTTP_QUERY_MAX = 4096 };

/* -FAULT_USAGE (address, certificate), -errno of bind and listen. What it borrows must live as long as the server. */
int http_server_start(const struct http_server_options *o, struct http_server **ret, struct err *e);

/* The address with the port in use: "127.0.0.1:8080". */
const char *http_server_address(const struct http_server *s);

/* Accepts no more connections, ends those without a request, waits for the others until grace_ms have passed, then
 * breaks them off. */
void http_server_stop(struct http_server *s, uint64_t grace_ms);

/* The request. Texts are borrowed from the exchange. */
const char *exchange_method(const struct exchange *x);
const char *exchange_path(const struct exchange *x); /* as it was sent, without the query */
const char *exchange_query(const struct exchange *x,
                           const char *name); /* decoded; "" without a value; NULL: not there */
const char *exchange_header(const struct exchange *x, const char *name); /* NULL: not there; the first of several */
const char *exchange_header_last(const struct exchange *x, const char *name); /* the same; the last of several */
unsigned exchange_header_count(const struct exchange *x, const char *name);   /* lines of that name */
const char *exchange_client(const struct exchange *x);                        /* its address, without the port */
bool exchange_is_tls(const struct exchange *x);
bool exchange_is_old(const struct exchange *x); /* HTTP/1.0: a stream of unknown size that breaks off looks whole */
bool exchange_has_body(const struct exchange *x);
int64_t exchange_body_size(const struct exchange *x); /* Content-Length; -1: not known (chunked) */

/* Breaks the connection off, as if its client had gone: from any thread, while the exchange is not over. */
void exchange_break(struct exchange *x);

/* What the handler keeps with the exchange; `done` is called once, on any end. */
void exchange_set_state(struct exchange *x, void *state, void (*done)(void *state));
void *exchange_state(const struct exchange *x);

/* Takes the request's body, from begin on. data: a piece of it; 0, or negative after it has answered (by
 * exchange_answer or exchange_answer_text): the rest is not read and the connection ends. end: the body is whole:
 * answers. If the connection breaks, neither is called again. For large bodies of a known size, each may be NULL:
 * space: where the next piece is wanted, of at most *size bytes, which it may lower; NULL: anywhere; idle: nothing has
 * come for a second. */
struct exchange_body {
    int (*data)(struct exchange *x, const void *data, size_t size);
    void (*end)(struct exchange *x);
    void *(*space)(struct exchange *x, size_t *size);
    void (*idle)(struct exchange *x);
};
void exchange_receive(struct exchange *x, const struct exchange_body *body);

/* The answer: headers first, then one of the exchange_answer functions, once. Of a HEAD no body is sent. */
void exchange_add_header(struct exchange *x, const char *name, const char *value);
void exchange_answer(struct exchange *x, unsigned status, const void *data, size_t size); /* data is copied */
void exchange_answer_text(struct exchange *x, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4))); /* text/plain, with a newline behind it */
/* size bytes of fd from offset on, by sendfile; fd is taken. */
void exchange_answer_file(struct exchange *x, unsigned status, int fd, uint64_t offset, uint64_t size);

/* A body that is made while it is sent. read: fills data, returns bytes, 0 at the end, negative to break off (the
 * client sees a connection that ends too early). done: always called. size: -1: not known, sent in chunks. */
struct exchange_stream {
    ssize_t (*read)(void *ctx, void *data, size_t size);
    void (*done)(void *ctx);
    void *ctx;
};
void exchange_answer_stream(struct exchange *x, unsigned status, int64_t size, const struct exchange_stream *stream);

/* An interim answer (1xx), sent at once, before the final one; not to a client of HTTP/1.0. head: its header lines,
 * each with CRLF. */
void exchange_interim(struct exchange *x, unsigned status, const char *head);
