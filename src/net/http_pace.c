/* SPDX-License-Identifier: Apache-2.0
 *
 * A clock for heads, a clock and windows for bodies.
 */
#include "net/http_pace.h"

enum { KEPT_TIMES = 4 };

const char *http_pace_status_line(struct http_pace *p, uint64_t now_ms)
{
    if (++p->heads > PACE_HEADS_MAX)
        return "it says 1xx again and again instead of an answer";
    p->phase = PACE_HEAD;
    p->begun_ms = now_ms;
    return NULL;
}

void http_pace_head_end(struct http_pace *p, bool interim, uint64_t now_ms)
{
    p->phase = interim ? PACE_NOTHING : PACE_BODY;
    p->begun_ms = p->window_ms = now_ms;
    p->window_bytes = 0;
}

void http_pace_body(struct http_pace *p, size_t size, uint64_t ours_ms)
{
    p->window_bytes += size;
    p->window_ms += ours_ms;
    p->begun_ms += ours_ms;
}

const char *http_pace_trailer(struct http_pace *p, size_t size)
{
    p->trailer += size;
    return p->trailer > PACE_TRAILER_MAX ? "what comes behind its answer does not end" : NULL;
}

static const char *check_body(struct http_pace *p, uint64_t now_ms)
{
    static const char endless[] = "its answer comes drop by drop, and does not come to an end";

    if (p->patient)
        return now_ms - p->begun_ms > PACE_PATIENT_MS ? endless : NULL;
    if (p->kept && now_ms - p->begun_ms > KEPT_TIMES * p->timeout_ms)
        return endless;
    if (now_ms - p->window_ms < p->timeout_ms)
        return NULL;
    if (p->window_bytes < PACE_LEAST)
        return endless;
    p->window_ms = now_ms;
    p->window_bytes = 0;
    return NULL;
}

const char *http_pace_check(struct http_pace *p, uint64_t now_ms)
{
    if (now_ms < p->begun_ms || now_ms < p->window_ms)
        return NULL;
    if (p->phase == PACE_BODY)
        return check_body(p, now_ms);
    return p->phase == PACE_HEAD && now_ms - p->begun_ms > p->timeout_ms
               ? "the head of its answer does not come to an end"
               : NULL;
}
