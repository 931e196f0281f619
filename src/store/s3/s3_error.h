/* SPDX-License-Identifier: Apache-2.0
 *
 * What an S3 store's refusal means: its status and code made into one of our faults and into a line that says what,
 * where and what to do. One table; sends and retries nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/s3/s3_xml.h"

struct s3_failure {
    const char *dialect;   /* "s3": the message begins with it */
    long status;           /* of the answer */
    struct s3_error error; /* fields are "" where the answer left them out */
    unsigned retry_after_ms;
    const char *action; /* "s3:PutObject": what the key would have to be allowed to do */
    const char *origin; /* "http://127.0.0.1:9000" */
    const char *bucket;
    const char *prefix; /* of the store; goes before the key */
    const char *key;    /* NULL: the request was about the bucket */
    bool upload;        /* it named a multipart upload */
    const char *region; /* that was signed for */
    const char *access_key;
    const char *source; /* of the credentials: "environment" */
    bool token;         /* they are temporary */
    int64_t expires_ns; /* of the credentials; 0: unknown */
    const char *date;   /* the answer's Date header; NULL without */
    int64_t now_ns;
};

/* Sets the message, and retry_after_ms, and returns the fault, negative. */
int s3_error_explain(const struct s3_failure *f, struct err *e);

/* Whether the store reports that it doesn't know something in the request (a header). */
bool s3_error_not_implemented(long status, const char *code);

/* Whether it may be that: a 400 without a definite code (Backblaze and others answer InvalidArgument). */
bool s3_error_may_be_unknown(long status, const char *code);
