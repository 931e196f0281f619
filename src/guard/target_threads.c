/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel sends no notice when pids.current comes near pids.max, so it is polled.
 */
#include "guard/target_threads.h"

#include "base/mem.h"
#include "linux/threadroom.h"

enum { FAR_MS = 1000, NEAR_MS = 100, NEAR = READING_WHOLE / 2 };

static struct reading_value share_of(pid_t pid)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    struct threadroom room;

    if (pid <= 0 || proc_open("/proc", pid, &p) < 0)
        return reading_unknown("no process whose limit of threads could be read");
    threadroom_of_cgroups(&p, &room);
    if (room.limit == UINT64_MAX || room.limit == 0)
        return reading_unknown("no limit of threads (pids.max)");
    return reading_known((int64_t)((double)room.used / (double)room.limit * READING_WHOLE));
}

void target_threads_read(struct target_threads *g, pid_t pid, uint64_t now_ms, struct reading *r)
{
    if (now_ms >= g->due_ms) {
        g->share = share_of(pid);
        g->due_ms = now_ms + (g->share.known && g->share.value >= NEAR ? NEAR_MS : FAR_MS);
    }
    r->threads = g->share;
}
