/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of `guard`. Its child processes are started with the same command line, and parse it again.
 */
#pragma once

#include "guard/action.h"
#include "guard/guard.h"
#include "notify/notify_options.h"
#include "ship/plan.h"

struct guard_options {
    struct plan_options plan;
    struct notify_options notify;
    struct opt_list when, actions, pids, cgroups, namespaces, pod_rules, pass_env;
    bool all, hold, dry_run, json, kills_only;
    uint64_t cooldown_ms, rescan_ms, at_once, at_once_all, dump_rate, lend, hold_ms, interval_ms, for_ms;
    const char *max_cases, *max_cases_tenant, *max_cases_all, *dir, *ready, *metrics, *pod_logs, *share, *pods;
};

/* As opt_parse; operands are an error. */
int guard_parse(int argc, char **argv, struct guard_options *ret, struct err *e);

/* Whether `guard` would accept this command line, as far as that is known without its files. */
int guard_check(int argc, char **argv, struct err *e);

/* As guard_parse for a child of guard: the guard's own arguments follow the first `used` of argv, which is changed. */
int guard_parse_rest(int argc, char **argv, int used, struct guard_options *ret, struct err *e);

/* The processes of --pid: o->pids.count of them. */
int guard_pids(const struct guard_options *o, pid_t pids[OPT_LIST_MAX], struct err *e);

/* Borrows both. *ret_pods: the selection's, NULL: all pods; to be freed by pod_selection_free. -ENOMEM. */
int guard_selection(const struct guard_options *o, const pid_t *pids, struct target_selection *ret,
                    struct pod_selection **ret_pods);

int guard_actions(const struct guard_options *o, struct actions *ret, struct err *e);
