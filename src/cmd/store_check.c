/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage watch-check, guard-check: processes that a watch or a guard starts to check its store (ship/storecheck.h).
 * They get the command line of their loop, so they make the same plan. They end when descriptor 3 closes, that is with
 * the loop. Internal; users have `salvage check`.
 */
#include <errno.h>
#include <signal.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/guard.h"
#include "cmd/watch.h"
#include "linux/oomscore.h"
#include "ship/storecheck.h"
#include "ship/wire.h"

static int check(const struct plan_options *o, const char *ready)
{
    CLEANUP(plan_done) struct plan plan = {0};
    struct err e = {0};
    int r;

    log_set_format((enum log_format)o->log);
    /* The loop handles the signals of a terminal or a container runtime. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    oomscore_offer();
    if ((r = plan_init(&plan, o, &e)) < 0)
        return command_fail(r, &e);
    r = storecheck_run(&(struct storecheck_config){.plan = &plan, .ready = ready, .stop_fd = WORKER_CHANNEL});
    if (r == 0)
        wire_send(WORKER_CHANNEL, &(struct wire){.type = WIRE_CHECKED, .fd = {-1, -1}});
    return r < 0 ? 1 : 0;
}

static int run_watch(int argc, char **argv)
{
    struct watch_options o = {0};
    CLEANUP_FREE char **dirs = NULL;
    struct err e = {0};
    int r = watch_parse(argc, argv, &o, &dirs, &e);

    return r < 0 ? command_fail(r, &e) : check(&o.plan, o.ready);
}

static int run_guard(int argc, char **argv)
{
    struct guard_options o = {0};
    struct err e = {0};
    int r = guard_parse(argc, argv, &o, &e);

    return r < 0 ? command_fail(r, &e) : check(&o.plan, o.ready);
}

const struct command CMD_WATCH_CHECK = {
    .name = "watch-check",
    .args = "",
    .summary = "check the store, for watch",
    .hidden = true,
    .run = run_watch,
};

const struct command CMD_GUARD_CHECK = {
    .name = "guard-check",
    .args = "",
    .summary = "check the store, for guard",
    .hidden = true,
    .run = run_guard,
};
