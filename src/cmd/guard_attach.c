/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage guard-attach: what a guard starts to attach early to the JVMs in its cgroups, so that they can be asked in a
 * case: at a limit of threads, or with a full heap, HotSpot opens no attach socket any more. Ends when the guard does,
 * which it sees by descriptor 3. Not for people.
 */
#include <errno.h>
#include <signal.h>

#include "arm/armfollow.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/guard.h"
#include "linux/cgroupns.h"
#include "linux/launch.h"

enum { TIMEOUT_MS = 30 * 1000 };

static bool is_guarded(void *ctx, const struct jvm *j)
{
    return target_selection_has(ctx, &j->proc);
}

static int run(int argc, char **argv)
{
    struct guard_options o = {0};
    pid_t pids[OPT_LIST_MAX];
    struct target_selection guarded;
    CLEANUP(pod_selection_free_ptr) struct pod_selection *pods = NULL;
    struct armfollow_config config = {.attach_only = true,
                                      .wanted = is_guarded,
                                      .ctx = &guarded,
                                      .timeout_ms = TIMEOUT_MS,
                                      .stop_fd = LAUNCH_CHANNEL};
    struct err e = {0};
    int r = guard_parse(argc, argv, &o, &e);

    if (r < 0 || (r = guard_pids(&o, pids, &e)) < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)o.plan.log);
    /* A terminal's or a runtime's signals are the guard's to act on. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    cgroupns_enter_first();
    if ((r = guard_selection(&o, pids, &guarded, &pods)) < 0)
        return command_error(r, "out of memory");
    config.every_ms = o.rescan_ms;
    r = armfollow_run(&config, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_GUARD_ATTACH = {
    .name = "guard-attach",
    .args = "",
    .summary = "attaches early to the JVMs that a guard watches",
    .hidden = true,
    .run = run,
};
