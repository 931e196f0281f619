/* SPDX-License-Identifier: Apache-2.0
 *
 * What a watch has told of itself (base/events.h, as JSON), summed up for one last line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_summary {
    uint64_t shipped, bytes; /* pieces of evidence that are in the store, and their size as they lay there */
    uint64_t left;           /* with `stopped`: to be resumed, or given up */
    uint64_t largest;
    char *url;   /* owned; of the largest, NULL without any */
    char *error; /* owned; the last trouble, NULL without */
    bool started, stopped;
};

/* One event. What makes no sense is passed over. */
void event_summary_add(struct event_summary *t, const char *line, size_t size);
/* Another watch takes the place of the one that was: what was shipped stays. */
void event_summary_restart(struct event_summary *t);
void event_summary_done(struct event_summary *t);
