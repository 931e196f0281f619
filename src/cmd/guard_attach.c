/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage guard-attach: what a guard starts to attach early to the JVMs in its cgroups, so that they can be asked in a
 * case: at a limit of threads, or with a full heap, HotSpot opens no attach socket any more. Ends when the guard does,
 * which it sees by descriptor 3. Not for people.
 */
#include <errno.h>
#include <signal.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/guard.h"
#include "linux/cgroupns.h"
#include "linux/launch.h"
#include "linux/memcg.h"
#include "watch/armfollow.h"

enum { TIMEOUT_MS = 30 * 1000 };

struct guarded {
    const struct guard_options *o;
    pid_t pids[OPT_LIST_MAX];
};

static bool is_cgroup(const struct memcg *m, const char *path)
{
    CLEANUP(memcg_done) struct memcg given = MEMCG_NONE;
    struct err ignored;

    return memcg_open_path(path, &given, &ignored) == 0 && memcg_same(&given, m);
}

/* As the guard has it: of a process that is named that one alone, with --all each cgroup that has a limit. */
static bool is_guarded(void *ctx, const struct jvm *j)
{
    const struct guarded *g = ctx;
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;
    struct err ignored;

    for (unsigned i = 0; i < g->o->pids.count; i++)
        if (g->pids[i] == j->proc.pid)
            return true;
    if ((!g->o->all && g->o->cgroups.count == 0) || memcg_open(&j->proc, &m, &ignored) < 0)
        return false;
    for (unsigned i = 0; i < g->o->cgroups.count; i++)
        if (is_cgroup(&m, g->o->cgroups.item[i]))
            return true;
    return g->o->all && memcg_limit(&m) != UINT64_MAX;
}

static int run(int argc, char **argv)
{
    struct guard_options o = {0};
    struct guarded guarded = {.o = &o};
    struct armfollow_config config = {.attach_only = true,
                                      .wanted = is_guarded,
                                      .ctx = &guarded,
                                      .timeout_ms = TIMEOUT_MS,
                                      .stop_fd = LAUNCH_CHANNEL};
    struct err e = {0};
    int r = guard_parse(argc, argv, &o, &e);

    if (r < 0 || (r = guard_pids(&o, guarded.pids, &e)) < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)o.plan.log);
    /* A terminal's or a runtime's signals are the guard's to act on. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    cgroupns_enter_first();
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
