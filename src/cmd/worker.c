/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage worker: ships claims for a watch (ship/worker.h). Not for users.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/watch.h"
#include "linux/oomscore.h"
#include "net/bandwidth.h"
#include "place/layout.h"
#include "ship/spool.h"
#include "ship/wire.h"
#include "ship/worker.h"

/* With the other workers of this watch. */
static int share_bandwidth(const struct plan *plan, const struct watch_options *o, char *const *dirs)
{
    char folder[PATH_MAX];

    if (!o->plan.state && !*dirs)
        return 0;
    snprintf(folder, sizeof(folder), "%s%s", o->plan.state ? o->plan.state : *dirs,
             o->plan.state ? "" : "/" STATE_NAME);
    return bandwidth_set_folder(plan->sink.http.bandwidth, folder);
}

static int run(int argc, char **argv)
{
    struct watch_options o = {0};
    CLEANUP(plan_done) struct plan plan = {0};
    CLEANUP(whoami_done) struct whoami who = {0};
    CLEANUP_FREE char **dirs = NULL;
    struct worker_config config = {.plan = &plan, .who = &who, .channel = WORKER_CHANNEL};
    struct layout layout;
    struct err e = {0};
    int r = watch_parse(argc, argv, &o, &dirs, &e);

    if (r < 0 || (r = plan_init(&plan, &o.plan, &e)) < 0 || (o.layout && (r = layout_parse(o.layout, &layout, &e)) < 0))
        return command_fail(r, &e);
    if ((r = share_bandwidth(&plan, &o, dirs)) < 0)
        return command_error(r, "out of memory");
    plan.sink.notice = NULL; /* the watch logs it once (ship/storecheck.h) */
    if ((r = whoami_get("/", &who, &e)) < 0)
        return command_fail(r, &e);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* shipping a claim may take hours; the journal has its confirmed parts */
    oomscore_offer();                 /* only this attempt is lost */
    config.layout = o.layout ? &layout : NULL;
    config.dirs = dirs;
    return worker_serve(&config) < 0;
}

const struct command CMD_WORKER = {
    .name = WORKER_COMMAND,
    .args = "",
    .summary = "ships claims for watch",
    .hidden = true,
    .run = run,
};
