/* SPDX-License-Identifier: Apache-2.0
 *
 * A JVM is ready once its counters are marked accessible, right before its agents and its application begin (create_vm
 * in threads.cpp, PerfMemory::set_accessible). A JVM without counters counts as ready after COUNTERS_MS.
 */
#include "hotspot/attach_early.h"

#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "base/mem.h"
#include "hotspot/attach_obstacle.h"
#include "hotspot/counters.h"

enum {
    HANDLER_MS = 10 * 1000, /* a younger JVM may not have its SIGQUIT handler yet */
    COUNTERS_MS = 3000      /* nor its counters */
};

static bool is_young(const struct jvm *j, unsigned ms)
{
    return j->started_ns && clock_wall_ns() - j->started_ns < (int64_t)ms * 1000000;
}

static bool is_ready(const struct jvm *j)
{
    const uint64_t quit = UINT64_C(1) << (SIGQUIT - 1);
    CLEANUP(counters_done) struct counters c = {0};
    struct proc_status now;
    struct err ignored;
    int r;

    if (proc_status(&j->proc, &now) < 0 || (!(now.caught & quit) && is_young(j, HANDLER_MS)))
        return false;
    r = counters_read(&j->proc, &c, &ignored);
    return r == 0 || (r != -EAGAIN && !is_young(j, COUNTERS_MS));
}

int attach_early(const struct jvm *j, const struct attach_wait *wait, struct err *e)
{
    int r, fd;

    if (!attach_obstacle_listener_runs(j)) {
        if ((r = attach_possible(j, e)) < 0 && j->options.attach_disabled == 1)
            return r;
        if (!is_ready(j))
            return err_set(e, -EAGAIN, "JVM %d is starting up", (int)j->proc.pid);
        if ((r = attach_obstacle_thread_burst(j, e)) < 0)
            return r;
    }
    if ((fd = attach_socket(j, wait, e)) < 0)
        return fd;
    close(fd);
    return 0;
}
