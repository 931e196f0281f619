/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's kills of a guard's targets: each is logged once, by the source that has it (the kernel log, or
 * where that has nothing of it, the cgroup's counter), and a record of it goes to the store, into the case of what was
 * taken before. Judges nothing and waits for nothing.
 */
#pragma once

#include "guard/kill_recorder.h"
#include "guard/target.h"
#include "oom/oom_log_reader.h"

enum { KILL_REPORTS_UNMATCHED_MAX = 32 };

/* A kill of which the kernel wrote one line only: whose it was, a counter tells. */
struct unmatched_kill {
    struct oomkill_process process;
    int64_t time_ns;
    uint64_t at_ms;
};

struct kill_reports {
    struct oom_log_reader oom_log; /* log.fd: to be polled; -1: the kernel log can't be read */
    struct kill_recorder recorder;
    const struct whoami *self;
    bool all;               /* kills of nobody's target, too */
    struct oomkill counted; /* a record that is made of counters */
    struct unmatched_kill unmatched[KILL_REPORTS_UNMATCHED_MAX];
    unsigned unmatched_count;
};

/* args: guard's own, for who ships. -FAULT_UNREADABLE: there is no kernel log, and the rest works. -ENOMEM. */
int kill_reports_open(struct kill_reports *g, const struct whoami *self, char *const *args, bool all, struct err *e);

/* What is in the kernel log by now. all: also the last one, of which more may be said. */
void kill_reports_read(struct kill_reports *g, struct target *const *targets, size_t count, bool all);

/* The kernel's count of kills in t: those that the kernel log does not have are reported. last: t goes. */
void kill_reports_count(struct kill_reports *g, struct target *t, uint64_t kills, bool last);
