/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Protocol: what a person asks `serve` to take of a pod's container, what `serve` offers of it to the
 * agents of nodes, and what an agent reports. JSON over HTTP; both ends are in this header. docs/serve.md describes it.
 *
 *   a person            POST /-/api/requests             an order; the answer is a request with its id
 *                       GET  /-/api/requests/ID          the request as it stands
 *   a node's agent      GET  /-/api/agent/requests       offers, as soon as there are some
 *                       POST /-/api/agent/requests/ID    a report
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define CAPTURE_PATH "-/api/requests"
#define CAPTURE_AGENT_PATH "-/api/agent/requests"

enum {
    CAPTURE_NAMESPACE_MAX = 64, /* a DNS label, with its NUL */
    CAPTURE_NAME_MAX = 254,     /* of a pod or a node: a DNS subdomain */
    CAPTURE_ID_MAX = 33,        /* 32 hex digits */
    CAPTURE_BY_MAX = 256,       /* who asks; longer names are cut */
    CAPTURE_TEXT_MAX = 512,
    CAPTURE_KEY_MAX = 1100,
    CAPTURE_URL_MAX = 2400,
    CAPTURE_OFFERS_MAX = 16, /* in one answer */
    CAPTURE_MESSAGE_MAX = 64 * 1024
};

enum capture_what { CAPTURE_HEAP_DUMP, CAPTURE_THREADS, CAPTURE_HISTOGRAM, CAPTURE_CORE, CAPTURE_WHATS };

/* "heap-dump", … */
const char *capture_what_name(enum capture_what what);
bool capture_what_find(const char *name, enum capture_what *ret);

/* What a person asks for. Names are well-formed. */
struct capture_order {
    char namespace[CAPTURE_NAMESPACE_MAX], pod[CAPTURE_NAME_MAX];
    char container[CAPTURE_NAMESPACE_MAX]; /* "": the pod's only one, or the one with a JVM */
    enum capture_what what;
};

struct capture_offer {
    char id[CAPTURE_ID_MAX];
    uint64_t number; /* grows from one request to the next */
    char by[CAPTURE_BY_MAX];
    struct capture_order order;
};

struct capture_offers {
    unsigned count;
    struct capture_offer item[CAPTURE_OFFERS_MAX];
};

enum capture_state { CAPTURE_QUEUED, CAPTURE_TAKEN, CAPTURE_DONE, CAPTURE_FAILED, CAPTURE_STATES };

const char *capture_state_name(enum capture_state state);

/* What an agent reports: TAKEN at first and as long as it works, then DONE or FAILED. */
struct capture_report {
    enum capture_state state;
    char node[CAPTURE_NAME_MAX];
    char text[CAPTURE_TEXT_MAX]; /* progress, or why it failed; no control characters */
    char key[CAPTURE_KEY_MAX];   /* of the evidence in the store of `serve`; "": it lies elsewhere, or is not known */
    char url[CAPTURE_URL_MAX];   /* of the evidence */
};

/* Each: 0; -FAULT_USAGE with a sentence; ret is untouched then. */
int capture_order_read(const char *text, size_t size, struct capture_order *ret, struct err *e);
int capture_report_read(const char *text, size_t size, struct capture_report *ret, struct err *e);
int capture_offers_read(const char *text, size_t size, struct capture_offers *ret, struct err *e);

/* An order of four texts, "" or NULL: none. */
int capture_order_make(const char *namespace, const char *pod, const char *container, const char *what,
                       struct capture_order *ret, struct err *e);

/* Whether a text can be the name of a node (or pod). */
bool capture_is_name(const char *text);
bool capture_is_id(const char *text);

/* -ENOMEM. */
int capture_report_write(const struct capture_report *r, struct buf *ret);
int capture_offers_write(const struct capture_offers *o, struct buf *ret);
