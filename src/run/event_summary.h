/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums up the events of a watch (base/events.h, as JSON) for the last line of run's log.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_summary {
    uint64_t shipped, bytes; /* pieces of evidence in the store, and their size as files */
    uint64_t left;           /* with `stopped`: pieces that were not shipped */
    uint64_t largest;        /* bytes of the largest piece */
    char *url;               /* owned; of the largest piece, NULL without any */
    char *error;             /* owned; the last error, NULL without any */
    bool started, stopped;
};

/* Adds one event; ignores lines that are not valid. */
void event_summary_add(struct event_summary *t, const char *line, size_t size);
/* Another watch was started: what was shipped stays. */
void event_summary_restart(struct event_summary *t);
void event_summary_done(struct event_summary *t);
