/* SPDX-License-Identifier: Apache-2.0
 *
 * AWS Signature Version 4 (AWS IAM User Guide, "Create a signed AWS API request"): pure text in, header values out.
 * For S3 the path is encoded once and not normalised. Sends nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/cred.h"

#define SIGV4_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct sigv4_pair {
    const char *name, *value; /* not encoded; value "" for "?uploads" */
};

struct sigv4_request {
    const char *method;
    const char *host;               /* with the port unless it is the scheme's own */
    const char *path;               /* encoded as in the URL, beginning with '/' */
    const struct sigv4_pair *query; /* in any order */
    unsigned query_count;
    const struct sigv4_pair *headers; /* further headers to sign: x-amz-*, if-none-match …; any case and order */
    unsigned header_count;
    const char *payload_sha256;   /* hex, "UNSIGNED-PAYLOAD" … */
    const char *region, *service; /* "us-east-1", "s3" */
    int64_t time_ns;
};

struct sigv4_signed {
    char date[20];                /* for x-amz-date */
    struct secret *authorization; /* for Authorization */
    char *query;                  /* encoded and sorted: append to the URL behind '?'; "" without */
};

/* host, x-amz-date, for service "s3" x-amz-content-sha256, and with a token x-amz-security-token are signed too: the
 * caller sends them. 0 or -ENOMEM. */
int sigv4_sign(const struct sigv4_request *r, const struct credentials *c, struct sigv4_signed *ret);
void sigv4_done(struct sigv4_signed *s);
