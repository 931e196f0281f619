/* SPDX-License-Identifier: Apache-2.0
 *
 * What a signer of requests is given and what it gives back, whatever the store's dialect, and the few steps that all
 * signers share. The signers: net/sigv4.h, net/obssign.h. Sends nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "net/cred.h"

struct sign_pair {
    const char *name, *value; /* not encoded; value "" for "?uploads" */
};

struct sign_request {
    const char *method;
    const char *host;              /* with the port unless it is the scheme's own */
    const char *path;              /* encoded as in the URL, beginning with '/' */
    const char *resource;          /* "/BUCKET/KEY", encoded likewise, wherever the URL has its bucket; for OBS */
    const struct sign_pair *query; /* in any order */
    unsigned query_count;
    const struct sign_pair *headers; /* further headers to sign: x-amz-*, content-type …; any case and order */
    unsigned header_count;
    const char *payload_sha256;   /* hex, "UNSIGNED-PAYLOAD" …; NULL (OBS): is not sent */
    const char *region, *service; /* "us-east-1", "s3"; for SigV4 */
    int64_t time_ns;
};

struct signature {
    char date[CLOCK_TEXT_MAX];    /* for x-amz-date, x-obs-date */
    struct secret *authorization; /* for Authorization */
    char *query;                  /* encoded and sorted: append to the URL behind '?'; "" without */
};
void signature_done(struct signature *s);

/* "a=1&b=", sorted after encoding. empty: what follows a name without a value, "=" or "". 0, -ENOMEM, -EMSGSIZE. */
int sign_query(const struct sign_request *r, const char *empty, char **ret);

/* By name in lower case; those of the same name stay as they came. */
void sign_sort_headers(struct sign_pair *pairs, size_t count);

/* Whether pairs[i] has the name of the one before it. */
int sign_repeats(const struct sign_pair *pairs, size_t i);
