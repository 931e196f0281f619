/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP requests, one at a time, over a connection that is kept (libcurl: proxies from the environment, TLS verified,
 * redirects not followed). Blocking: for workers and commands, never for the loop. Knows nothing of S3. A struct http
 * belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

struct bandwidth;
struct http;

struct http_request;
struct http_answer;

struct http_options {
    char *ca_file;       /* PEM; NULL: see net/cabundle.h. The struct's owner's; http_new copies what it needs */
    uint64_t timeout_ms; /* no byte moved for this long: -FAULT_STALLED; 0: 30 s. Connecting may take a third of it */
    bool direct;         /* never by a proxy: for services of this host and its link */
    struct bandwidth *bandwidth; /* bodies that are sent wait for their turn (net/bandwidth.h); borrowed; NULL: none */
    /* For tests: the monotonic clock that decides what is slow (libcurl's own limits don't use it); NULL:
     * clock_mono_ms. */
    uint64_t (*clock_ms)(void);
    /* For tests: answers in the place of a server, as http_perform does, on any thread; NULL: libcurl. */
    int (*transport)(void *ctx, const struct http_request *r, struct http_answer *answer, struct err *e);
    void *transport_ctx;
};

struct http_header {
    const char *name, *value;    /* borrowed; value NULL: left out */
    const struct secret *secret; /* instead of value */
};

enum { HTTP_HEADERS_MAX = 40, HTTP_ANSWER_MAX = 16 * 1024 * 1024 };

struct http_request {
    const char *method; /* "PUT" */
    const char *url;    /* encoded */
    struct http_header headers[HTTP_HEADERS_MAX];
    unsigned header_count;
    uint64_t limit_ms; /* for all of it, from connecting on; then -FAULT_STALLED; 0: none */
    bool patient;      /* the answer's body may come drop by drop, while the store works (net/http_pace.h) */
    const void *body;  /* NULL: none, unless read is set; a PUT or POST without either sends Content-Length: 0 */
    size_t body_size;
    /* A body of unknown length, sent in chunks: fills data, returns bytes, 0 at the end, negative to break off
     * (http_perform then returns that number). Can't be sent twice: the caller begins anew. */
    ssize_t (*read)(void *ctx, void *data, size_t size);
    /* Takes the body of a 2xx answer, whose status and headers are in answer by then; 0, or negative to break off
     * (http_perform returns it). NULL: kept in answer. */
    int (*write)(void *ctx, const void *data, size_t size);
    void *ctx;
};

struct http_answer {
    long status;             /* 200; known when write is called; 0 after a failure */
    struct buf headers;      /* raw lines of the last answer */
    struct buf body;         /* at most HTTP_ANSWER_MAX */
    unsigned retry_after_ms; /* from Retry-After, seconds or date; 0 without */
};

/* Adds a header, left out if its value is NULL; beyond HTTP_HEADERS_MAX is a bug (assert). */
void http_add_header(struct http_request *r, const char *name, const char *value);
void http_add_secret(struct http_request *r, const char *name, const struct secret *secret);

int http_new(const struct http_options *o, struct http **ret, struct err *e);
void http_free(struct http *h);

/* 0 for every complete answer, whatever its status. -FAULT_UNREACHABLE, -FAULT_STALLED, -FAULT_TLS (the message says
 * which name or CA, and how to give --ca-file), -FAULT_FORMAT (also for an answer that does not come to an end,
 * net/http_pace.h; and for a header value with a control character in it: nothing is sent then), -ENOMEM, or what
 * read/write returned. The message names host and port, never a query (presigned) or a header. answer: zeroed by the
 * caller at first, reset here. */
int http_perform(struct http *h, const struct http_request *r, struct http_answer *answer, struct err *e);
void http_answer_done(struct http_answer *a);

/* How far the last request came. */
enum http_stage { HTTP_NOT_ASKED, HTTP_NAME, HTTP_CONNECT, HTTP_TLS, HTTP_ANSWER, HTTP_DONE };
struct http_way {
    enum http_stage ended_at; /* what failed, or HTTP_DONE */
    char address[64];         /* "10.0.0.1", the proxy's where there is one; "" without a connection */
    long port;
};
void http_way(const struct http *h, struct http_way *ret);

/* A header of the answer, trimmed, into out[size]; returns out, NULL without or if it does not fit. Case-insensitive
 * name. */
const char *http_header(const struct http_answer *a, const char *name, char *out, size_t size);
