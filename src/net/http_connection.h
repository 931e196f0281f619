/* SPDX-License-Identifier: Apache-2.0
 *
 * One client's connection, as its two owners see it: the front (http_front.h), which accepts, shakes hands, waits for
 * the first head, watches the time and lingers at the end; and between that the thread that serves its requests.
 */
#pragma once

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "net/http_request_head.h"
#include "net/listen_address.h"
#include "net/tls_connection.h"

/* The serving thread's stack, and more of it than is in use while it waits for the client. */
enum { HTTP_STACK_BYTES = 256 * 1024, HTTP_STACK_USED = 64 * 1024 };

enum http_waits { WAITS_US, WAITS_HEAD, WAITS_BODY, WAITS_ANSWER };
enum http_stage { STAGE_HANDSHAKE, STAGE_HEAD, STAGE_SERVED, STAGE_LINGER, STAGE_DEAD };

union http_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct http_front;

struct http_connection {
    /* The front's. */
    struct http_connection *next, *next_released;
    struct http_front *front;
    enum http_stage stage;
    int fd; /* the client's, until the end: the server's library has a duplicate */
    union http_address address;
    socklen_t address_size;
    char client[LISTEN_ADDRESS_MAX];
    uint64_t until_ms, idle_until_ms;
    uint64_t progress_since_ms, progress_bytes;
    int progress_of;
    bool cut;

    /* Read and written by both. */
    _Atomic int waits;  /* enum http_waits: for whom the exchange waits now */
    _Atomic bool begun; /* the library has read a request */

    /* The serving thread's while the connection is served, else the front's. */
    struct tls_connection *tls; /* NULL: plain */
    char *early;                /* TLS: what was read to find the end of a head, and is still to be received */
    size_t early_at, early_size;
    uint64_t received; /* TLS: by the library, or by ourselves in its place */

    /* The serving thread's. */
    int served_fd; /* what the library reads and writes; its own */
    int stop_fd;   /* readable once the server stops */
    uint64_t client_ms;
    struct http_request_head head; /* of the request that is next or under way */
    uint64_t expected;             /* bytes of all requests up to this one's end */
    bool last;                     /* no request after this one is served */
};

/* Whether another request may follow on this connection: asked when the answer begins. No, if the client or the server
 * ends it, if the body came in chunks, or if bytes of the next request have been read: that one's head could not be
 * checked. */
bool http_connection_persists(struct http_connection *c);

/* After an answer: blocks until the next head is whole. False: there is none; `last` is set, the client has its reason.
 */
bool http_connection_next(struct http_connection *c);

/* Bytes written so far. */
uint64_t http_connection_written(const struct http_connection *c);

enum { HTTP_REFUSAL_MAX = 512 };

/* A whole answer "status, why" that ends the connection, into out[HTTP_REFUSAL_MAX]; its size. */
size_t http_refusal(unsigned status, const char *why, char *out);

/* The kernel's words for a connection; false if it knows none. */
bool http_connection_counts(const struct http_connection *c, uint64_t *ret_received, uint64_t *ret_acked);
