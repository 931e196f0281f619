/* SPDX-License-Identifier: Apache-2.0
 *
 * A service that answers small requests: metadata, tokens, credentials. All requests and tries end by one deadline, and
 * an answer has a ceiling. Over one connection; a struct service belongs to one thread.
 */
#pragma once

#include <stdint.h>

#include "net/http.h"

struct service {
    const char *name; /* "the EC2 metadata service", for messages; static */
    struct http *http;
    uint64_t deadline_ms; /* monotonic, of all requests together */
    uint64_t try_ms;      /* of each try; 0: what is left until the deadline */
    size_t answer_max;    /* bytes */
};

/* Opens the connection: the other fields are the caller's. service_done closes it. */
int service_open(struct service *s, const struct http_options *o, struct err *e);
void service_done(struct service *s);

/* Up to three tries while the service is busy (429, 5xx) or unreachable, and time is left. limit_ms of r is set here. 0
 * for every other complete answer; -FAULT_BUSY, with the answer there; -FAULT_STALLED (also when no time
 * was left), -FAULT_UNREACHABLE, -FAULT_TLS, -FAULT_FORMAT (also beyond answer_max) … */
int service_ask(const struct service *s, struct http_request *r, struct http_answer *ret, struct err *e);

/* http_answer_done, wiped. */
void service_answer_done(struct http_answer *a);
