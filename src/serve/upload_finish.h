/* SPDX-License-Identifier: Apache-2.0
 *
 * What every upload does before its bytes come, and at its end, whether it came in one request or in several.
 */
#pragma once

#include "serve/incoming.h"
#include "serve/request.h"
#include "serve/upload_digests.h"

/* Whether a key can be uploaded to: checks the store, the rights, the key, the size (-1: not known) against the limit,
 * and what stands there: 403, 404, 409, 412, 413, 415, 501. size_there: the size of an object of this name, -1 without
 * one. May not replace, but may be the same: the caller decides. False after it has answered. */
struct upload_plan {
    bool replace; /* the caller may */
    int64_t size_there;
};
bool upload_begin(struct request *r, int64_t size, struct upload_plan *ret);

/* The part of it that looks at headers alone. */
bool upload_check_headers(struct request *r);

struct upload_result {
    enum incoming_end end;
    uint64_t size;
    unsigned char sha256[DIGEST_SHA256_SIZE];
};

/* Checks digests and manifest, commits, and lets the server's other parts know. -FAULT_CORRUPT, -FAULT_FORMAT, and as
 * incoming_commit: nothing is stored then. */
int upload_finish(struct serve *s, struct incoming *in, const struct upload_digests *d,
                  const struct incoming_target *target, struct upload_result *ret, struct err *e);

/* 201, or 200 if the object was there: Location, ETag, Repr-Digest. */
void upload_answer_stored(struct request *r, const char *key, const struct upload_result *u);

/* The answer for a failure; those that are the server's are logged, too. */
void upload_answer_failed(struct request *r, const char *key, int result, const struct err *e);
