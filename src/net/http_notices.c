/* SPDX-License-Identifier: Apache-2.0
 *
 * A counter for each reason.
 */
#include "net/http_notices.h"

#include <assert.h>
#include <stdio.h>

enum { MINUTE_MS = 60 * 1000 };

static const char *const TEXTS[HTTP_REASONS] = {
    [HTTP_TOO_MANY] = "too many connections",
    [HTTP_TOO_MANY_OF_ONE] = "too many connections of one address",
    [HTTP_NO_DESCRIPTORS] = "no descriptors left: raise the limit of open files",
    [HTTP_NO_THREADS] = "no thread could be started: raise the limit of processes",
    [HTTP_BAD_REQUEST] = "malformed requests",
    [HTTP_BAD_HANDSHAKE] = "failed TLS handshakes",
    [HTTP_SLOW_HEAD] = "the request's head did not come in time",
    [HTTP_SLOW_SENDER] = "the client sent its body too slowly",
    [HTTP_SLOW_READER] = "the client took its answer too slowly",
};

static void report(struct http_notices *n, enum http_reason reason, uint64_t now_ms)
{
    struct http_notice notice = {
        .reason = reason, .text = TEXTS[reason], .client = n->of[reason].client, .count = n->of[reason].count};

    n->of[reason].count = 0;
    n->of[reason].reported_ms = now_ms;
    if (n->report)
        n->report(n->ctx, &notice);
}

static int is_due(const struct http_notices *n, enum http_reason reason, uint64_t now_ms)
{
    return n->of[reason].reported_ms == 0 || now_ms - n->of[reason].reported_ms >= MINUTE_MS;
}

void http_notices_add(struct http_notices *n, enum http_reason reason, const char *client, uint64_t now_ms)
{
    assert(reason < HTTP_REASONS);
    n->of[reason].count++;
    snprintf(n->of[reason].client, sizeof(n->of[reason].client), "%s", client);
    if (is_due(n, reason, now_ms))
        report(n, reason, now_ms);
}

void http_notices_flush(struct http_notices *n, uint64_t now_ms, int all)
{
    for (enum http_reason reason = 0; reason < HTTP_REASONS; reason++)
        if (n->of[reason].count > 0 && (all || is_due(n, reason, now_ms)))
            report(n, reason, now_ms);
}
