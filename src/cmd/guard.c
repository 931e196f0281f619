/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage guard: evidence before the kernel kills.
 */
#include "cmd/guard.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strv.h"
#include "base/table.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/jvm.h"
#include "guard/case_processes.h"
#include "guard/dry_run.h"
#include "net/bandwidth.h"
#include "net/metrics_server.h"
#include "node/component_env.h"
#include "place/pod_known.h"
#include "place/pod_logs.h"
#include "ship/key_template.h"
#include "ship/plancheck.h"
#include "ship/storecheck.h"

static const struct opt GUARD_OPTIONS[] = {
    {OPT_HEADING, .name = "Watching"},
    {OPT_LIST, 0, "pid", "PID", NULL, offsetof(struct guard_options, pids),
     "the memory cgroup of this process, while it lives; may be repeated"},
    {OPT_LIST, 0, "cgroup", "DIR", NULL, offsetof(struct guard_options, cgroups),
     "this memory cgroup; a case takes its largest process; may be repeated"},
    {OPT_FLAG, 0, "all", NULL, NULL, offsetof(struct guard_options, all),
     "every visible memory cgroup with a limit, also later ones"},
    {OPT_LIST, 0, "namespace", "[!]GLOB", NULL, offsetof(struct guard_options, namespaces),
     "with --all: only pods of these namespaces; the first that fits decides, and ! leaves out; may be repeated. The "
     "kubelet says which a pod is of (--pod-logs)"},
    {OPT_STRING, 0, "pods", "FILE", NULL, offsetof(struct guard_options, pods),
     "with --all: the table of this node's pods, which the node agent keeps (docs/node.md)"},
    {OPT_LIST, 0, "pod-rule", "NAME", NULL, offsetof(struct guard_options, pod_rules),
     "with --pods: only pods to which this rule of the node agent applies; may be repeated. A pod that is not in the "
     "table is waited for, and then selected by --namespace"},
    {OPT_STRING, 0, "pod-logs", "DIR", "/var/log/pods", offsetof(struct guard_options, pod_logs),
     "where the kubelet has a folder NAMESPACE_POD_UID for each pod: if it is visible, pods are called by it, and not "
     "by "
     "what they say of themselves"},
    {OPT_DURATION, 0, "rescan", "DURATION", "5s", offsetof(struct guard_options, rescan_ms),
     "with --all: how often to look for new ones"},
    {OPT_HEADING, .name = "Acting"},
    {OPT_LIST, 0, "when", "CONDITION", RULE_DEFAULT_WHEN, offsetof(struct guard_options, when),
     "terms joined by ',' all of which must hold; repeated: one of the conditions is enough"},
    {OPT_LIST, 0, "do", "ACTIONS", ACTION_DEFAULT, offsetof(struct guard_options, actions),
     "what to take, in this order: stats, threads, histogram, native, heap-dump[:live], core (of any process, "
     "which lives on), get:URL (as the process sees it), signal:NAME, exec:COMMAND; NAME@TIME limits the time, "
     "core@pause=TIME the time for which the process is stopped [100ms]"},
    {OPT_LIST, 0, "pass-env", "NAME", NULL, offsetof(struct guard_options, pass_env),
     "a command of exec: inherits this variable, too, though it is for a store (keys, tokens, passwords are removed "
     "from its environment); '*' stands for any letters; may be repeated"},
    {OPT_DURATION, 0, "cooldown", "DURATION", "10m", offsetof(struct guard_options, cooldown_ms),
     "after a case nothing is taken of the cgroup for this time; with --state also across a restart, as the caps "
     "below"},
    {OPT_STRING, 0, "max-cases", "N/TIME", "3/day", offsetof(struct guard_options, max_cases),
     "cases of one cgroup, as in 3/day, 1/hour, or none for no limit"},
    {OPT_STRING, 0, "max-cases-tenant", "N/TIME", "20/day", offsetof(struct guard_options, max_cases_tenant),
     "cases of all cgroups of one namespace, or without namespaces of one user"},
    {OPT_STRING, 0, "max-cases-all", "N/TIME", "100/day", offsetof(struct guard_options, max_cases_all),
     "cases of all cgroups"},
    {OPT_UINT, 0, "at-once", "N", "1", offsetof(struct guard_options, at_once),
     "cases of one namespace or user at the same time"},
    {OPT_UINT, 0, "at-once-all", "N", "16", offsetof(struct guard_options, at_once_all),
     "cases of all together at the same time"},
    {OPT_STRING, 0, "share", "DIR", NULL, offsetof(struct guard_options, share),
     "guards that name the same folder count together: --at-once, --at-once-all, --max-cases-tenant and "
     "--max-cases-all hold for all of them; a case counts as running until its evidence is taken, not shipped"},
    {OPT_SIZE, 0, "dump-rate", "SIZE", NULL, offsetof(struct guard_options, dump_rate),
     "bytes of a heap dump that are written in a second, for oom-in<=dump; without it the speed of the last dump, from "
     "5M to 200M, and 100M before the first"},
    {OPT_SIZE, 0, "lend", "SIZE", NULL, offsetof(struct guard_options, lend),
     "while a case is made, raise each limit with less room than this by this amount, as far as the machine has it "
     "free; see docs/before-a-kill.md"},
    {OPT_FLAG, 0, "hold", NULL, NULL, offsetof(struct guard_options, hold),
     "while a case is made, the process waits instead of being killed; see docs/before-a-kill.md"},
    {OPT_DURATION, 0, "hold-deadline", "DURATION", "30s", offsetof(struct guard_options, hold_ms),
     "with --hold: after this time the kernel may kill, even if the case is not complete"},
    {OPT_FLAG, 0, "kills-only", NULL, NULL, offsetof(struct guard_options, kills_only),
     "take nothing before a kill: only keep a record of each one (oom-kill.json)"},
    {OPT_STRING, 0, "dir", "DIR", NULL, offsetof(struct guard_options, dir),
     "folder where a JVM writes its dump, as the JVM sees it; default: as salvage jvm dump"},
    {OPT_STRING, 0, "ready", "FILE", NULL, offsetof(struct guard_options, ready),
     "this file exists while the store, asked at the start and every five minutes, would take evidence: for a "
     "readiness probe"},
    METRICS_OPTION(struct guard_options, metrics),
    {OPT_HEADING, .name = "Trying out"},
    {OPT_FLAG, 0, "dry-run", NULL, NULL, offsetof(struct guard_options, dry_run),
     "only show each condition's present value and what would be done: nothing is taken, changed or attached to, and "
     "no store is needed. On a terminal a table that is refreshed, else a line for each change"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct guard_options, json),
     "with --dry-run: one JSON object per line, for each sample of each cgroup (salvage.guard-dry-run/1)"},
    {OPT_DURATION, 0, "interval", "DURATION", NULL, offsetof(struct guard_options, interval_ms),
     "with --dry-run: between samples [1s]; changes are shown at once"},
    {OPT_DURATION, 0, "for", "DURATION", NULL, offsetof(struct guard_options, for_ms),
     "with --dry-run: end after this time; without it: with the last cgroup, or by Ctrl-C"},
    PLAN_OPTIONS_STORE(struct guard_options, plan),
    PLAN_OPTIONS_SHIP(struct guard_options, plan),
    NOTIFY_OPTIONS(struct guard_options, notify),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

int guard_parse(int argc, char **argv, struct guard_options *ret, struct err *e)
{
    CLEANUP_FREE char **operands = NULL;
    int r = opt_parse(GUARD_OPTIONS, &(struct opt_argv){argc, argv}, ret, &operands, e);

    if (r == 0)
        pod_logs_set_folder(ret->pod_logs);
    if (r == 0)
        pod_known_set_table(ret->pods);
    return r > 0 ? err_set(e, -FAULT_USAGE, "guard: '%s': give what is to be watched by --pid, --cgroup or --all",
                           operands[0])
                 : r;
}

int guard_parse_rest(int argc, char **argv, int used, struct guard_options *ret, struct err *e)
{
    argv[used - 1] = argv[0];
    return guard_parse(argc - used + 1, argv + used - 1, ret, e);
}

/* Its processes read them again. */
static int count_notices(const struct guard_options *o, bool *ret_any, struct err *e)
{
    CLEANUP(notify_targets_done) struct notify_targets targets = {0};
    int r = notify_options_read(&o->notify, &targets, e);

    *ret_any = targets.count > 0;
    return r;
}

int guard_actions(const struct guard_options *o, struct actions *ret, struct err *e)
{
    int r = 0;

    *ret = (struct actions){0};
    for (unsigned i = 0; i < o->actions.count && r == 0; i++)
        r = action_add(o->actions.item[i], ret, e);
    return r;
}

static int make_rules(const struct guard_options *o, struct rule_policy *ret, struct err *e)
{
    int r = 0;

    *ret = (struct rule_policy){.cooldown_ms = o->cooldown_ms, .targets = RULE_TARGETS_MAX};
    if (o->when.count > RULE_CONDITIONS_MAX)
        return err_set(e, -FAULT_USAGE, "--when: at most %d conditions", RULE_CONDITIONS_MAX);
    if (o->at_once == 0 || o->at_once > 16)
        return err_set(e, -FAULT_USAGE, "--at-once: from 1 to 16");
    if (o->hold_ms == 0)
        return err_set(e, -FAULT_USAGE, "--hold-deadline: it must be more than 0");
    ret->at_once = (unsigned)o->at_once;
    if (o->at_once_all == 0 || o->at_once_all > CASE_PROCESSES_MAX)
        return err_set(e, -FAULT_USAGE, "--at-once-all: from 1 to 16");
    ret->at_once_all = (unsigned)o->at_once_all;
    for (; ret->count < o->when.count && r == 0; ret->count++)
        r = condition_parse(o->when.item[ret->count], &ret->when[ret->count], e);
    if (r == 0 && (r = rate_parse(o->max_cases, &ret->per_target, e)) < 0)
        return err_prefix(e, r, "--max-cases");
    if (r == 0 && (r = rate_parse(o->max_cases_tenant, &ret->per_tenant, e)) < 0)
        return err_prefix(e, r, "--max-cases-tenant");
    if (r == 0 && (r = rate_parse(o->max_cases_all, &ret->shared, e)) < 0)
        return err_prefix(e, r, "--max-cases-all");
    return r;
}

int guard_pids(const struct guard_options *o, pid_t pids[OPT_LIST_MAX], struct err *e)
{
    uint64_t pid;

    for (unsigned i = 0; i < o->pids.count; i++) {
        if (text_parse_uint(o->pids.item[i], INT_MAX, &pid) < 0 || pid == 0)
            return err_set(e, -FAULT_USAGE, "--pid: '%s' is not a process id", o->pids.item[i]);
        pids[i] = (pid_t)pid;
    }
    return 0;
}

int guard_selection(const struct guard_options *o, const pid_t *pids, struct target_selection *ret,
                    struct pod_selection **ret_pods)
{
    const struct pod_selection_config c = {
        .table = o->pods, .rules = &o->pod_rules, .namespaces = &o->namespaces, .pod_logs = o->pod_logs};
    bool some = o->namespaces.count > 0 || o->pods;
    int r = some ? pod_selection_new(&c, ret_pods) : 0;

    if (r < 0)
        return r;
    *ret = (struct target_selection){.pids = pids,
                                     .pid_count = o->pids.count,
                                     .cgroups = o->cgroups.item,
                                     .cgroup_count = o->cgroups.count,
                                     .all = o->all,
                                     .rescan_ms = o->rescan_ms,
                                     .pods = *ret_pods,
                                     .pod_logs = o->namespaces.count > 0 && !o->pods ? o->pod_logs : NULL};
    return 0;
}

enum {
    CORE_ACTIONS = 1 << ACTION_CORE,
    JVM_ACTIONS = 1 << ACTION_HISTOGRAM | 1 << ACTION_THREADS | 1 << ACTION_NATIVE | 1 << ACTION_HEAP_DUMP
};

/* kinds: a bit for each enum action_kind. */
static bool has_action(const struct actions *a, unsigned kinds)
{
    for (unsigned i = 0; i < a->count; i++)
        if (kinds & 1u << a->item[i].kind)
            return true;
    return false;
}

/* A given option that only --dry-run has; NULL: none is given. */
static const char *find_dry_run_option(const struct guard_options *o)
{
    const struct {
        bool given;
        const char *name;
    } options[] = {{o->json, "json"}, {o->interval_ms > 0, "interval"}, {o->for_ms > 0, "for"}};

    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        if (options[i].given)
            return options[i].name;
    return NULL;
}

/* The command line, checked. */
struct parsed {
    struct guard_options o;
    struct rule_policy rules;
    struct actions actions;
    pid_t pids[OPT_LIST_MAX];
    struct target_selection selection;
    struct pod_selection *pods; /* owned; the selection's */
    bool notices;
};

static int parse(int argc, char **argv, struct parsed *p, struct err *e)
{
    struct guard_options *o = &p->o;
    int r = guard_parse(argc, argv, o, e);

    if (r < 0)
        return r;
    if (!o->all && o->pids.count == 0 && o->cgroups.count == 0)
        return err_set(e, -FAULT_USAGE, "guard: what is to be watched? --pid PID, --cgroup DIR or --all");
    if (o->namespaces.count > 0 && !o->all)
        return err_set(e, -FAULT_USAGE, "guard: --namespace selects among what --all finds");
    if (o->pods && !o->all)
        return err_set(e, -FAULT_USAGE, "guard: --pods selects among what --all finds");
    if (o->kills_only && (o->dry_run || o->hold || o->lend))
        return err_set(e, -FAULT_USAGE,
                       "guard: --kills-only takes nothing before a kill: --dry-run, --hold and --lend "
                       "are for what does");
    if (!o->dry_run && find_dry_run_option(o))
        return err_set(e, -FAULT_USAGE, "guard: --%s is for --dry-run", find_dry_run_option(o));
    if ((r = count_notices(o, &p->notices, e)) < 0 || (r = make_rules(o, &p->rules, e)) < 0 ||
        (r = guard_actions(o, &p->actions, e)) < 0 || (r = guard_pids(o, p->pids, e)) < 0)
        return r;
    return guard_selection(o, p->pids, &p->selection, &p->pods) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
}

static void parsed_done(struct parsed *p)
{
    pod_selection_free(p->pods);
}

int guard_check(int argc, char **argv, struct err *e)
{
    CLEANUP(plan_done) struct plan plan = {0};
    CLEANUP(parsed_done) struct parsed p = {0};
    int r = parse(argc, argv, &p, e);

    return r < 0 ? r : plan_init(&plan, &p.o.plan, e);
}

static int run_dry(const struct parsed *p, struct err *e)
{
    const struct guard_options *o = &p->o;
    enum dry_run_format for_people = isatty(STDOUT_FILENO) ? DRY_RUN_TABLE : DRY_RUN_LINES;
    struct dry_run_config config = {.selection = p->selection,
                                    .rules = p->rules,
                                    .actions = &p->actions,
                                    .core = has_action(&p->actions, CORE_ACTIONS),
                                    .dump_rate = o->dump_rate,
                                    .lend = o->lend,
                                    .hold_ms = o->hold ? o->hold_ms : 0,
                                    .interval_ms = o->interval_ms ? o->interval_ms : 1000,
                                    .for_ms = o->for_ms,
                                    .format = o->json ? DRY_RUN_JSON : for_people,
                                    .colours = table_colours(),
                                    .write = jvm_write};

    return dry_run(&config, e);
}

/* Of a process that gets our command line. */
static int make_args(struct strv *args, const char *command, char **argv, char *const **ret)
{
    int r;

    if ((r = strv_add(args, "salvage")) < 0 || (r = strv_add(args, command)) < 0 ||
        (r = strv_add_all(args, argv + 1)) < 0)
        return r;
    *ret = args->item;
    return 0;
}

static int run_guard(const struct parsed *p, char **argv, struct err *e)
{
    const struct guard_options *o = &p->o;
    CLEANUP(plan_done) struct plan plan = {0};
    CLEANUP(whoami_done) struct whoami self = {0};
    CLEANUP(strv_done) struct strv attach = {0}, notifier = {0};
    CLEANUP(metrics_server_stop_ptr) struct metrics_server *metrics = NULL;
    CLEANUP_FD int bandwidth = -1;
    CLEANUP_FD int check = -1; /* guard-check runs as long as this is open */
    struct guard_config config = {
        .self = &self,
        .rules = p->rules,
        .dump_rate = o->dump_rate,
        .share = o->share,
        .core = has_action(&p->actions, CORE_ACTIONS),
        .kills_only = o->kills_only,
        .selection = p->selection,
        .case_args = argv + 1,
        .state = o->plan.state,
        .override = {o->lend, o->hold ? o->hold_ms : 0, o->plan.state, (enum log_format)o->plan.log}};
    int r;

    if ((r = plan_init(&plan, &o->plan, e)) < 0 || (r = plancheck(&plan, o->plan.state, o->ready, e)) < 0 ||
        (r = plancheck_proxy(&plan, e)) < 0)
        return r;
    if (plan.sink.http.bandwidth && (bandwidth = bandwidth_make_fd()) < 0)
        return err_set(e, bandwidth, "no file in memory: %s", strerror(-bandwidth));
    config.bandwidth = bandwidth < 0 ? 0 : bandwidth;
    if (o->dir && *o->dir != '/')
        return err_set(e, -FAULT_USAGE, "guard: --dir: an absolute path, as the JVM sees it");
    log_set_format((enum log_format)o->plan.log);
    if ((r = whoami_get("/", &self, e)) < 0)
        return r;
    if ((has_action(&p->actions, JVM_ACTIONS) && !o->kills_only &&
         (r = make_args(&attach, "guard-attach", argv, &config.attach_args)) < 0) ||
        (p->notices && (r = make_args(&notifier, "guard-notifier", argv, &config.notifier_args)) < 0))
        return err_set(e, r, "out of memory");
    if ((r = storecheck_launch((char[]){"guard-check"}, argv + 1, &check)) < 0)
        log_event(EVENT_STORE_FAILED, LOG_STR("to", o->plan.to), LOG_STR("fault", "not-asked"),
                  LOG_STR("error", strerror(-r)));
    counters_forward(component_env_channel());
    if (o->metrics && (r = counters_collect()) < 0)
        return err_set(e, r, "guard: no pipe: %s", strerror(-r));
    if ((r = metrics_server_start_for(o->metrics, NULL, NULL, &metrics, e)) < 0)
        return r;
    return guard_run(&config, e);
}

static int run(int argc, char **argv)
{
    CLEANUP(parsed_done) struct parsed p = {0};
    struct err e = {0};
    int r = parse(argc, argv, &p, &e);

    if (r == 0)
        r = p.o.dry_run ? run_dry(&p, &e) : run_guard(&p, argv, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_GUARD = {
    .name = "guard",
    .args = "--pid PID|--cgroup DIR|--all --to URL",
    .summary = "take evidence of a process before the kernel kills it because memory ran out",
    .text =
        "A kernel OOM kill leaves no evidence: SIGKILL can't be caught. guard watches memory cgroups (v1 and v2), and "
        "when a condition holds it takes evidence in time: small pieces first, then a heap dump, all into one case of "
        "the store. By default a case begins when the limit will be reached before a heap dump is made, or when 95% "
        "are used and the rest is gone within a minute.\n\n"
        "Conditions: memory>=90%, memory>=400M, growth>=10M/s, oom-in<=8s, oom-in<=dump, pressure=critical (cgroup "
        "v1), psi.some>=20%/10s, psi.full>=20%/10s, heap>=90%, gc>=50%, threads>=90%, event:oom, event:oom-kill.\n\n"
        "Run it outside of the cgroup that it watches: as a sidecar with a shared pid namespace, or on the node. For "
        "a process that is no JVM, it can take stats, a core, the answer of its HTTP server (get:URL, in the "
        "process's own network), and the output of a command (exec:COMMAND, with SALVAGE_PID, SALVAGE_TARGET, "
        "SALVAGE_WHY and SALVAGE_CASE in its environment).\n\n"
        "--lend and --hold change the cgroup while a case is made, if it is writable. The old settings are restored "
        "when the case has ended; after a crash by the next start with the same --state.",
    .examples = "salvage guard --all --to s3://evidence/prod\n"
                "    on a node: every container with a memory limit\n"
                "salvage guard --pid 7 --when 'memory>=80%' --dry-run\n"
                "    how near the process is to that, refreshed each second; nothing is done\n"
                "salvage guard --all --dry-run --json --for 1m | jq -c 'select(.answer == \"trigger\")'\n"
                "    which containers would have had a case within a minute\n"
                "salvage guard --pid 7 --when 'memory>=90%' --do stats,histogram,threads --to file:///mnt/evidence\n"
                "    one process, when its container is almost full\n"
                "salvage guard --all --lend 256M --to s3://evidence/prod\n"
                "    with 256 MiB more for each container, while its case is made\n"
                "salvage guard --pid 7 --when 'memory>=80%,growth>=10M/s' --when event:oom --to s3://evidence/prod\n"
                "    when it is almost full and growing, or when the kernel finds no memory\n"
                "salvage guard --all --do stats,get@5s:http://127.0.0.1:6060/debug/pprof/heap --to s3://evidence/prod\n"
                "    Go programs\n",
    .options = GUARD_OPTIONS,
    .run = run,
};
