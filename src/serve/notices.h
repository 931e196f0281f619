/* SPDX-License-Identifier: Apache-2.0
 *
 * Notices of a server's cases: queued as soon as a manifest is stored, delivered by a thread of their own.
 */
#pragma once

#include "net/http.h"
#include "notify/notify_target.h"
#include "ship/manifest.h"
#include "store/sink.h"

struct notices;

struct notices_config {
    const struct notify_targets *targets; /* borrowed */
    const struct sink_config *store;      /* for the objects' URLs; borrowed */
    const char *public_url;               /* for links; borrowed */
    struct http_options http;
    uint64_t every_ms;
};

/* folder: a state folder; the queue lies below it. 0 with *ret NULL if there are no targets. */
int notices_open(const struct notices_config *config, int folder, struct notices **ret, struct err *e);

/* Ends the thread. A delivery that hangs is left to the end of the process after two seconds: what it delivers is
 * still queued. */
void notices_close(struct notices *n);

/* Queues the notice. What fails is an event. n may be NULL. Any thread. */
void notices_add(struct notices *n, const struct manifest *m);
