/* SPDX-License-Identifier: Apache-2.0
 *
 * OOM kills in a guard's targets. Each is logged once, from the kernel log, or from the cgroup's counter if the log
 * does not have it; and a record of it goes to the store, into the case whose evidence was taken before. Never
 * blocks.
 */
#pragma once

#include "guard/kill_recorder.h"
#include "guard/target_set.h"
#include "oom/oom_log_reader.h"

enum { KILL_REPORTS_UNMATCHED_MAX = 32 };

/* A kill of which the kernel wrote one line only. That line does not name the cgroup; a counter that rises does. */
struct unmatched_kill {
    struct oomkill_process process;
    int64_t time_ns;
    uint64_t at_ms;
};

struct kill_reports {
    struct oom_log_reader oom_log; /* log.fd: poll it for POLLIN; -1: the kernel log cannot be read */
    struct kill_recorder recorder;
    const struct whoami *self;
    const struct target_selection *selection; /* kills outside of all targets are reported, too: all with `all`, but of
                                                 a selection of pods those in a selected one */
    struct oomkill counted;                   /* scratch for a record made from counters */
    struct unmatched_kill unmatched[KILL_REPORTS_UNMATCHED_MAX];
    unsigned unmatched_count;
};

/* All borrowed. args: the guard's arguments, for the process that ships. -FAULT_UNREADABLE: there is no kernel log, the
 * counters still work. -ENOMEM. */
int kill_reports_open(struct kill_reports *g, const struct whoami *self, char *const *args,
                      const struct target_selection *selection, struct err *e);

/* Reports what the kernel log has by now. all: also the last kill, of which more lines may follow. */
void kill_reports_read(struct kill_reports *g, struct target *const *targets, size_t count, bool all);

/* kills: the kernel's count of kills in t. Reports those that the kernel log does not have. last: t is about to go. */
void kill_reports_count(struct kill_reports *g, struct target *t, uint64_t kills, bool last);
