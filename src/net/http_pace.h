/* SPDX-License-Identifier: Apache-2.0
 *
 * How long an answer may take, and how much of it may come: that no byte has moved for a while is http.c's to notice,
 * this is for a server that goes on sending, and never comes to an end. Pure: the caller brings the clock.
 *
 *   heads    each within timeout_ms of its first line; at most PACE_HEADS_MAX (1xx and the last)
 *   body     at least PACE_LEAST bytes in each timeout_ms; one that is kept in memory within 4 * timeout_ms
 *   trailer  at most PACE_TRAILER_MAX bytes
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PACE_HEADS_MAX = 8,
    PACE_LEAST = 4096,
    PACE_TRAILER_MAX = 256 * 1024,
    PACE_PATIENT_MS = 15 * 60 * 1000, /* for the body of an answer that waits for work of the store's */
};

struct http_pace {
    uint64_t timeout_ms;
    bool kept;    /* the body is kept in memory: a small one */
    bool patient; /* it may come drop by drop for PACE_PATIENT_MS */

    enum { PACE_NOTHING, PACE_HEAD, PACE_BODY } phase;
    uint64_t begun_ms; /* of this head, or of the body */
    uint64_t window_ms, window_bytes;
    unsigned heads;
    size_t trailer;
};

/* Each returns NULL, or what is wrong, for "HOST:PORT: …". All times are monotonic. */
const char *http_pace_status_line(struct http_pace *p, uint64_t now_ms);
const char *http_pace_trailer(struct http_pace *p, size_t size);
const char *http_pace_check(struct http_pace *p, uint64_t now_ms);

void http_pace_head_end(struct http_pace *p, bool interim, uint64_t now_ms);
/* size bytes of the body, which we ourselves took ours_ms to take. */
void http_pace_body(struct http_pace *p, size_t size, uint64_t ours_ms);
