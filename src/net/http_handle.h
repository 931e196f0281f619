/* SPDX-License-Identifier: Apache-2.0
 *
 * What http.c and http_stream.c have in common: a handle of libcurl's, and a request from its set-up to its result. For
 * these two only.
 */
#pragma once

#include "net/bandwidth.h"
#include "net/cabundle.h"
#include "net/http_transfer.h"

struct http {
    CURL *curl;
    char *ca_file;      /* as given */
    struct cabundle ca; /* what libcurl trusts; empty before the first request that needs it */
    uint64_t timeout_ms;
    uint64_t (*clock_ms)(void);
    int (*transport)(void *ctx, const struct http_request *r, struct http_answer *answer, struct err *e);
    void *transport_ctx;
    bool direct;
    struct bandwidth *bandwidth;
    struct bandwidth_sender sender;
    CURLcode last; /* result of the last request */
    bool asked;    /* for http_way; false where it came to no connection at all */
    struct http_sockets sockets;
};

/* The request's headers as libcurl wants them: our own nodes, as curl_slist_append would copy secrets. */
struct http_header_lines {
    struct curl_slist list[HTTP_HEADERS_MAX + 1];
    char *line[HTTP_HEADERS_MAX];
    unsigned count;
};

/* Stays where it is from begin to end: libcurl has pointers into it. */
struct http_call {
    struct http_transfer transfer; /* request and answer are the caller's, set before */
    struct http_header_lines lines;
    char detail[CURL_ERROR_SIZE];
};

/* Resets the answer. *ret_code: CURLE_OK, or what went wrong, for http_call_end, which has to follow after 0. */
int http_call_begin(struct http *h, struct http_call *c, CURLcode *ret_code, struct err *e);

/* code: of the transfer. Returns as http_perform. */
int http_call_end(struct http *h, struct http_call *c, CURLcode code, struct err *e);
