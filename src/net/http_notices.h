/* SPDX-License-Identifier: Apache-2.0
 *
 * What a server does with connections without a request: refuse them, cut them off. The first of each reason is
 * reported at once, those of the next minute together after it, with their count.
 */
#pragma once

#include <stdint.h>

enum http_reason {
    HTTP_TOO_MANY,        /* connections in all */
    HTTP_TOO_MANY_OF_ONE, /* of one address */
    HTTP_NO_DESCRIPTORS,
    HTTP_NO_THREADS,
    HTTP_BAD_REQUEST,
    HTTP_BAD_HANDSHAKE,
    HTTP_SLOW_HEAD,
    HTTP_SLOW_SENDER,
    HTTP_SLOW_READER,
    HTTP_REASONS
};

struct http_notice {
    enum http_reason reason;
    const char *text;   /* of the reason */
    const char *client; /* the last one's address */
    uint64_t count;     /* since the notice of before */
};

struct http_notices {
    void (*report)(void *ctx, const struct http_notice *n); /* NULL: nothing is reported */
    void *ctx;
    struct {
        uint64_t count, reported_ms;
        char client[64];
    } of[HTTP_REASONS];
};

void http_notices_add(struct http_notices *n, enum http_reason reason, const char *client, uint64_t now_ms);

/* Reports what waits, if its minute is over. all: also if it is not. */
void http_notices_flush(struct http_notices *n, uint64_t now_ms, int all);
