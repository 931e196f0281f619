/* SPDX-License-Identifier: Apache-2.0
 *
 * One request to an S3 store: signed, sent, its answer checked, tried again where that can help. Knows the protocol's
 * frame, none of its operations.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/request_retry.h"
#include "store/s3/s3_store.h"

enum { S3_PAIRS_MAX = 8, S3_HEADERS_MAX = S3_PAIRS_MAX + USER_HEADERS_MAX };

/* What a request needs besides endpoint and credentials. Borrowed. */
struct s3_call {
    const char *method;
    const char *action; /* the permission it takes, for messages: "PutObject" */
    const char *key;    /* relative to the store's prefix; NULL: the bucket */
    struct sign_pair query[S3_PAIRS_MAX];
    unsigned query_count;
    struct sign_pair headers[S3_PAIRS_MAX];
    unsigned header_count;
    const void *body;
    size_t body_size;
    const char *sha256;                      /* of the body, hex; NULL: is computed */
    bool readable;                           /* what is put must be readable at once: not archived */
    bool patient;                            /* the store may work for long on it, and send blanks meanwhile */
    const struct request_patience *patience; /* for s3_perform; NULL: sleeps */

    /* Looks at a 2xx answer before it is believed: 0, or a fault which then is the request's. May be NULL. */
    int (*check)(void *ctx, const struct http_answer *a, struct err *e);
    void *check_ctx;
    /* Takes the body of a 2xx answer, as in net/http.h; for s3_once only. May be NULL. */
    int (*write)(void *ctx, const void *data, size_t size);
    void *write_ctx;
};

/* Both return c, and assert that there is room. */
struct s3_call *s3_query(struct s3_call *c, const char *name, const char *value);
struct s3_call *s3_header(struct s3_call *c, const char *name, const char *value);

/* The call's headers and the user's that belong to it, borrowed; their number. */
unsigned s3_all_headers(const struct s3 *s, const struct s3_call *c, struct sign_pair out[S3_HEADERS_MAX]);

/* Sends it: 0 if it was answered with 2xx, else the fault, with a message. Follows the bucket to its region, and reads
 * renewed credentials, once each. The answer stays readable either way. e may not be NULL. */
int s3_once(struct s3 *s, struct http *h, const struct s3_call *c, struct http_answer *a, struct err *e);

/* s3_once, sent again as store/request_retry.h says. */
int s3_perform(struct s3 *s, struct http *h, const struct s3_call *c, struct http_answer *a, struct err *e);

/* Whether that is the code of an answer's error: "InvalidPart". */
bool s3_answered(const struct s3 *s, const struct http_answer *a, const char *code);

/* Looks at a refused request, and at what it had that a store may lack (bits 1u << S3_LACKS_…): true if the store may
 * not know the first of it, which is then remembered (s3_lacks) and said through patience (which may be NULL), and the
 * request is to be made again without. */
bool s3_learn(struct s3 *s, const struct http_answer *a, unsigned had, const struct request_patience *patience);
