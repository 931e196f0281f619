/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl's failures as faults, each with one line for the user: where, and what to do. For http.c only.
 */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct http_failure {
    CURLcode code;
    int result;      /* of http.c's callback that broke off, else 0 */
    const char *why; /* the same in words; NULL: result is enough */
    const char *url;
    const char *ca_file, *trusted; /* as given, NULL if not; the file or folder that was used, NULL: none */
    const char *detail;            /* libcurl's error buffer */
    uint64_t timeout_ms;
    bool direct;       /* by no proxy, whatever the environment says */
    uint64_t limit_ms; /* for the whole of a request that had got through, 0: none */
};

/* Returns the fault. The message names host and port, never path, query or headers. */
int http_fault_explain(CURL *c, const struct http_failure *f, struct err *e);

/* Of an answer with status 407, which a proxy gives, not a store: always -FAULT_CREDENTIALS. */
int http_fault_unwelcome(const char *url, struct err *e);
