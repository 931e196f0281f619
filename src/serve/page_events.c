/* SPDX-License-Identifier: Apache-2.0
 *
 * /-/events: a page that is open learns that the catalogue has changed (server-sent events, WHATWG HTML, 9.2). Each
 * holds a connection and its thread: they are counted, end after a while, and the browser comes back.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "serve/page.h"

enum {
    LISTENERS_MAX = 64,
    LIFE_MS = 10 * 60 * 1000,
    SLICE_MS = 2000, /* how long a server that stops may wait for one of them */
    BEAT_MS = 20 * 1000,
};

struct listener {
    struct serve *serve;
    uint64_t seen, until_ms, beat_ms;
    bool greeted, behind; /* behind: the page was made of an older catalogue, or of another server's */
};

static atomic_uint listeners;

/* Lines for the browser, or nothing yet: a comment keeps the connection from being idle. */
static ssize_t write_event(struct listener *l, char *out, size_t size)
{
    uint64_t version = catalogue_version(l->serve->catalogue, l->seen, l->behind ? 0 : SLICE_MS);
    int n = 0;

    if (version != l->seen || l->behind) {
        l->behind = false;
        n = snprintf(out, size, "event: change\ndata: %llu\n\n", (unsigned long long)version);
        l->seen = version;
    } else if (clock_left_ms(l->beat_ms) == 0) {
        n = snprintf(out, size, ":\n\n");
    }
    if (n > 0)
        l->beat_ms = clock_mono_ms() + BEAT_MS;
    return n;
}

static ssize_t read_events(void *ctx, void *data, size_t size)
{
    struct listener *l = ctx;
    ssize_t n = 0;

    if (!l->greeted) {
        l->greeted = true;
        l->beat_ms = clock_mono_ms() + BEAT_MS;
        return snprintf(data, size, "retry: 5000\n\n");
    }
    while (n == 0 && clock_left_ms(l->until_ms) > 0 && !atomic_load(&l->serve->stopping))
        n = write_event(l, data, size);
    return n;
}

static void listener_done(void *ctx)
{
    free(ctx);
    atomic_fetch_sub(&listeners, 1);
}

void page_events(struct request *r)
{
    struct exchange *x = r->exchange;
    const char *given = exchange_query(x, "seen"); /* the version that the page was made of */
    struct page_scope scope;
    struct listener *l;
    uint64_t seen;

    if (page_scope_init(&scope, r) < 0)
        return;
    page_scope_done(&scope);
    if (atomic_fetch_add(&listeners, 1) >= LISTENERS_MAX || !(l = calloc(1, sizeof(*l)))) {
        atomic_fetch_sub(&listeners, 1);
        exchange_add_header(x, "Retry-After", "60");
        exchange_answer_text(x, 503, "too many pages wait for news");
        return;
    }
    l->serve = r->serve;
    l->seen = catalogue_version(r->serve->catalogue, 0, 0);
    l->behind = given && text_parse_uint(given, UINT64_MAX, &seen) == 0 && seen != l->seen;
    l->until_ms = clock_mono_ms() + LIFE_MS;
    exchange_add_header(x, "Content-Type", "text/event-stream");
    exchange_add_header(x, "Cache-Control", "no-store");
    exchange_add_header(x, "Connection", "close");     /* or a server that stops would wait for the next request */
    exchange_add_header(x, "X-Accel-Buffering", "no"); /* nginx in front passes it on at once */
    exchange_answer_stream(x, 200, -1, &(struct exchange_stream){read_events, listener_done, l});
}
