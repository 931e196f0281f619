/* SPDX-License-Identifier: Apache-2.0
 *
 * One request to Azure's Blob storage: authorised, sent, its answer judged, tried again where that can help.
 */
#pragma once

#include "net/sign.h"
#include "store/az/az_error.h"
#include "store/az/az_store.h"
#include "store/request_retry.h"

enum { AZ_PAIRS_MAX = 8 };

/* Borrowed. */
struct az_call {
    const char *method;
    enum az_action action;
    const char *key; /* relative to the store's prefix; NULL: the container */
    struct sign_pair query[AZ_PAIRS_MAX];
    unsigned query_count;
    struct sign_pair headers[AZ_PAIRS_MAX];
    unsigned header_count;
    const void *body;
    size_t body_size;
    bool creates;                            /* the object: the user's headers for new objects belong to it */
    bool readable;                           /* what is put must be readable at once: not archived */
    const struct request_patience *patience; /* for az_perform; NULL: sleeps */
    /* Takes the body of a 2xx answer, as in net/http.h; for az_once only. May be NULL. */
    int (*write)(void *ctx, const void *data, size_t size);
    void *write_ctx;
};

/* Both return c, and assert that there is room. A value of NULL: left out. */
struct az_call *az_query(struct az_call *c, const char *name, const char *value);
struct az_call *az_header(struct az_call *c, const char *name, const char *value);

/* 0 if it was answered with 2xx, else the fault, with a message. Reads renewed credentials once. The answer stays
 * readable either way. e may not be NULL. */
int az_once(struct az *s, struct http *h, const struct az_call *c, struct http_answer *a, struct err *e);

/* az_once, sent again as store/request_retry.h says. */
int az_perform(struct az *s, struct http *h, const struct az_call *c, struct http_answer *a, struct err *e);
