/* SPDX-License-Identifier: Apache-2.0
 *
 * One part of an object, sent to the bucket by a URL that the server signs for it: digest, request, confirmation, and
 * the next try. Blocking, on any thread.
 */
#pragma once

#include "store/http/gateway_client.h"
#include "store/s3/s3_part_etag.h"

struct direct_part {
    struct gateway_client *client;
    struct http *http; /* of this thread */
    const struct part *part;
    bool patient; /* what may pass is tried again; else only a busy bucket, and a part damaged on its way */
    int (*wait)(void *ctx, uint64_t delay_ms); /* before the next try: 0, or negative to give up */
    void *wait_ctx;
    char digest[GATEWAY_DIGEST_MAX]; /* the sender's own */
};

/* 0: the bucket has it. Each try has a URL of its own: the one before may have come to its end. -FAULT_DENIED,
 * -FAULT_UNREACHABLE, -FAULT_TLS …; no message has the URL's query, which is a secret. */
int direct_part_send(struct direct_part *p, struct s3_part_etag *ret, struct err *e);
