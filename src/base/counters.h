/* SPDX-License-Identifier: Apache-2.0
 *
 * What this process has counted since its start. Each logged event counts itself (base/log.c), and so metrics and log
 * cannot disagree; levels of queues are set by who knows them. Safe from any thread; costs nothing at rest.
 */
#pragma once

#include <stdint.h>

#include "base/log.h"

enum { COUNTERS_NAMESPACES = 64, COUNTERS_NAME_MAX = 64 };

/* The wall clock when this was first called: once at the start of whoever shows metrics. */
int64_t counters_start_ns(void);

/* What processes of ours log that this one has started, counted as if it were logged here. counters_collect: from now
 * on there is a channel (0 or -errno); counters_channel: its descriptor (close-on-exec), for the command line of such a
 * process; -1: none. Events that come while nobody shows metrics may be dropped. */
int counters_collect(void);
int counters_channel(void);

/* In such a process: each of its events goes there, too, and its levels. -1: none. What it starts itself gets the same
 * channel by counters_channel, unless it collects. */
void counters_forward(int channel);

/* Counts what has come. */
void counters_receive(void);

/* By log_write, for each event. */
void counters_event(enum event event, const struct log_pair *pairs);

struct counted_event {
    uint64_t count;
    int64_t last_ns; /* wall clock; 0: never */
};
struct counted_event counters_of(enum event event);

/* Evidence that was stored, by the first part of its key. The last row stands for all that have none by name. */
struct counted_namespace {
    char name[COUNTERS_NAME_MAX];
    uint64_t shipped, stored_bytes;
    int64_t last_ns;
};

/* Copies the rows; returns how many. */
unsigned counters_namespaces(struct counted_namespace out[static COUNTERS_NAMESPACES]);

enum gauge {
    GAUGE_WAITING, /* claims that are not in the store yet */
    GAUGE_TARGETS, /* guarded cgroups */
    GAUGE_END
};
void gauge_set(enum gauge gauge, uint64_t value);
uint64_t gauge_get(enum gauge gauge); /* UINT64_MAX: never set */

/* One of several processes whose counters are shown by this one, with a socket of its own, which does not block. All
 * zero but for fd before the first use. */
struct counters_source {
    int fd;                    /* owned; -1: none */
    uint64_t level[GAUGE_END]; /* what it has added to our gauges */
};

/* Counts what has come from it; its levels are added to ours. */
void counters_receive_from(struct counters_source *s);

/* It has ended: its levels are taken away. */
void counters_source_done(struct counters_source *s);
