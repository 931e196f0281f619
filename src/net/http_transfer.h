/* SPDX-License-Identifier: Apache-2.0
 *
 * One request under way, as libcurl's callbacks see it: gives it the body, takes the answer, and ends a transfer that
 * has stalled or that would not end by itself (http_pace.h). For http.c, which sets up the request and reports the
 * result.
 */
#pragma once

#include <curl/curl.h>

#include "net/bandwidth.h"
#include "net/http.h"
#include "net/http_pace.h"
#include "net/http_sockets.h"

struct http_transfer {
    /* The caller's, set before. */
    CURL *curl;
    const struct http_sockets *sockets;
    const struct http_request *request;
    struct http_answer *answer;
    uint64_t timeout_ms;
    struct bandwidth *bandwidth; /* NULL: no limit */
    struct bandwidth_sender *sender;
    uint64_t (*clock_ms)(void);

    /* What became of it. */
    bool connected;
    bool head_ended;     /* with an empty line */
    int result;          /* why a callback broke off; 0: none did */
    const char *why;     /* the same in words; NULL: result is enough */
    bool callers_result; /* it is that of the request's read or write, which have set the error */

    size_t sent;               /* bytes of the body given to libcurl */
    uint64_t progress_ms;      /* when a byte last moved */
    uint64_t moved, unsent;    /* up and down, as libcurl counts; in the kernel's queue */
    uint64_t received;         /* as the kernel counts */
    uint64_t received_more_ms; /* when there last were more; 0: never */
    struct http_pace pace;
};

/* For a handle, once. */
CURLcode http_transfer_set_callbacks(CURL *c);

/* For a request: t has to stay where it is until it is done. */
CURLcode http_transfer_begin(struct http_transfer *t);
