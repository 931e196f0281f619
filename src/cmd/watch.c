/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage watch: the sidecar.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/counters.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/watch.h"
#include "hotspot/armplace.h"
#include "net/metrics_server.h"
#include "node/component_env.h"
#include "place/layout.h"
#include "place/pod_known.h"
#include "place/pod_selection.h"
#include "ship/key_template.h"
#include "ship/plancheck.h"
#include "watch/follow.h"
#include "watch/watcher.h"

static const struct opt WATCH_OPTIONS[] = {
    PLAN_OPTIONS_STORE(struct watch_options, plan),
    {OPT_HEADING, .name = "Watching"},
    {OPT_FLAG, 'r', "recursive", NULL, NULL, offsetof(struct watch_options, recursive), "watch folders below, too"},
    {OPT_STRING, 0, "layout", "LEVELS", NULL, offsetof(struct watch_options, layout),
     "what a file belongs to, by its folders: namespace/pod means that DIR holds NAMESPACE/POD/… (also container, "
     "and * for a folder without a meaning)"},
    {OPT_LIST, 0, "namespace", "[!]GLOB", NULL, offsetof(struct watch_options, namespaces),
     "with --layout: only evidence of these namespaces; the first that fits decides, and ! leaves out; may be "
     "repeated"},
    {OPT_STRING, 0, "pods", "FILE", NULL, offsetof(struct watch_options, pods),
     "the table of this node's pods, which the node agent keeps (docs/node.md)"},
    {OPT_LIST, 0, "pod-rule", "NAME", NULL, offsetof(struct watch_options, pod_rules),
     "with --pods: pods to which this rule of the node agent applies; may be repeated"},
    {OPT_STRING, 0, "kubelet", "DIR", NULL, offsetof(struct watch_options, kubelet),
     "with --pods: also watch the folders that the annotation salvage.dev/watch of a pod names: emptyDirs, below this "
     "folder of the kubelet, and folders of a container's own file system"},
    {OPT_STRING, 0, "dir-mode", "MODE", NULL, offsetof(struct watch_options, dir_mode),
     "make each DIR, if it is missing, and give it this mode: 1777 lets pods of any user write there"},
    {OPT_LIST, 0, "file", "FILE", NULL, offsetof(struct watch_options, files),
     "a file that is evidence, whatever its name, which may be a glob; may be repeated. Other files of its folder are "
     "not"},
    {OPT_LIST, 0, "include", "GLOB", NULL, offsetof(struct watch_options, include),
     "the only names that are evidence, whatever their content; may be repeated. Default: every file that begins as "
     "a heap dump, core, javacore, crash log, heap snapshot or finished flight recording does, whatever its name, and "
     "*.hprof"},
    {OPT_LIST, 0, "exclude", "GLOB", NULL, offsetof(struct watch_options, exclude),
     "names that are never evidence, whatever their content"},
    {OPT_DURATION, 0, "settle", "SECONDS", "5s", offsetof(struct watch_options, settle_ms),
     "for how long size and time of a file must not change, where the kernel can't show that its writer is done"},
    {OPT_FLAG, 0, "core-spool", NULL, NULL, offsetof(struct watch_options, core_spool),
     "DIR is the spool of core install: the core, the record and the crash log of one crash become one case"},
    FOLLOW_ROW(struct watch_options, follow),
    {OPT_FLAG, 0, "once", NULL, NULL, offsetof(struct watch_options, once),
     "scan, ship what is complete, exit: 0, or 1 if something could not be shipped"},
    {OPT_DURATION, 0, "grace", "DURATION", "25s", offsetof(struct watch_options, grace_ms),
     "after SIGTERM: for how long current uploads go on"},
    {OPT_DURATION, 0, "stuck", "DURATION", "60s", offsetof(struct watch_options, stuck_ms),
     "a worker that neither reads nor sends nor computes for this long is killed and replaced; at least twice "
     "--timeout"},
    {OPT_DURATION, 0, "retain-age", "DURATION", NULL, offsetof(struct watch_options, retention.age_ms),
     "erase evidence that could not be shipped for this long, and kept copies of this age; default: never"},
    {OPT_STRING, 0, "retain-bytes", "SIZE|auto|none", "auto", offsetof(struct watch_options, retain_bytes),
     "room for evidence that waits to be shipped and for kept copies. Beyond it kept copies are erased, the oldest "
     "first; then of each series of dumps of an application the middle, then the newest, and the first one last. auto: "
     "40% of each volume (--volume-limit, else its size if it is a separate file system), 25% of the free space if it "
     "is part of a disk"},
    {OPT_SIZE, 0, "retain-bytes-tenant", "SIZE", NULL, offsetof(struct watch_options, retention.tenant_bytes),
     "the same room for each namespace (--layout), else each user; default: a namespace may use what others don't"},
    {OPT_STRING, 0, "keep-free", "N%|SIZE|none", "none", offsetof(struct watch_options, keep_free),
     "so much of each volume stays free, whoever fills it: beyond that, waiting evidence is erased in the order of "
     "--retain-bytes"},
    RETENTION_LIMITS(struct watch_options, retention),
    {OPT_STRING, 0, "ready", "FILE", NULL, offsetof(struct watch_options, ready),
     "this file exists while the store, asked at the start and every five minutes, would take evidence: for a "
     "readiness probe"},
    METRICS_OPTION(struct watch_options, metrics),
    {OPT_UINT, 0, "events-fd", "N", NULL, offsetof(struct watch_options, events_fd),
     "write every event of the log also to this descriptor, as JSON"},
    {OPT_FLAG, 0, "arm", NULL, NULL, offsetof(struct watch_options, arm),
     "make every JVM that is visible from here and sees DIR (at any path) dump its heap there when memory runs out, "
     "also those that start later: see 'salvage jvm arm'"},
    {OPT_STRING, 0, "arm-dir", "PATH", NULL, offsetof(struct watch_options, arm_dir),
     "the same, if the path at which JVMs see DIR is not found automatically"},
    PLAN_OPTIONS_SHIP(struct watch_options, plan),
    NOTIFY_OPTIONS(struct watch_options, notify),
    {OPT_EXCLUDES, .name = "once", .arg = "arm"},
    {OPT_EXCLUDES, .name = "once", .arg = "arm-dir"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

int watch_parse(int argc, char **argv, struct watch_options *ret, char ***ret_dirs, struct err *e)
{
    int r = opt_parse(WATCH_OPTIONS, &(struct opt_argv){argc, argv}, ret, ret_dirs, e);

    if (r < 0)
        return r;
    pod_known_set_table(ret->pods);
    if (retention_set_bytes(&ret->retention, ret->retain_bytes, e) < 0 ||
        retention_set_keep_free(&ret->retention, ret->keep_free, e) < 0) {
        free(TAKE_PTR(*ret_dirs));
        return -FAULT_USAGE;
    }
    /* With --once nothing is erased that was not shipped, unless --retain-… is given. */
    if (ret->once)
        ret->retention.automatic = false;
    return r;
}

static int parse_mode(const char *text, mode_t *ret, struct err *e)
{
    char *end;
    unsigned long mode = strtoul(text, &end, 8);

    if (!*text || *end || mode > 07777 || strspn(text, "01234567") != strlen(text))
        return err_set(e, -FAULT_USAGE, "--dir-mode: '%s' is not an octal mode, as in 1777", text);
    *ret = (mode_t)mode;
    return 0;
}

/* Makes the folders to watch, and lets others write to them. */
static int make_folders(char *const *dirs, const char *mode_text, struct err *e)
{
    mode_t mode = 0;
    int r = parse_mode(mode_text, &mode, e);

    if (r < 0)
        return r;
    for (; *dirs; dirs++) {
        r = file_mkdirs(AT_FDCWD, *dirs, 0755);

        if (r == 0 && chmod(*dirs, mode) < 0)
            r = -errno;
        if (r < 0)
            return err_set(e, -FAULT_FOLDER, "%s: cannot be made with mode %s: %s", *dirs, mode_text, strerror(-r));
    }
    return 0;
}

/* A worker gets our command line, and makes the same plan of it. */
static char **worker_arguments(char *command, int argc, char **argv)
{
    char **args = calloc((size_t)argc + 2, sizeof(*args));

    if (!args)
        return NULL;
    args[0] = "salvage";
    args[1] = command;
    for (int i = 1; i < argc; i++)
        args[i + 1] = argv[i];
    return args;
}

static int check_arming(const struct watch_options *o, int dirs, struct err *e)
{
    if (o->once)
        return err_set(e, -FAULT_USAGE, "watch: --arm is for a watch that goes on, not for --once");
    if (!o->arm_dir && dirs == 0)
        return err_set(e, -FAULT_USAGE, "watch: --arm: which folder do JVMs see? --arm-dir PATH");
    return o->arm_dir && armplace_check(o->arm_dir, e) < 0 ? err_prefix(e, -FAULT_USAGE, "--arm-dir") : 0;
}

static int check_pods(const struct watch_options *o, struct err *e)
{
    if (o->pods && !o->layout && !o->kubelet)
        return err_set(e, -FAULT_USAGE, "--pods: which folders are pods? --layout namespace/pod");
    if (o->kubelet && !o->pods)
        return err_set(e, -FAULT_USAGE, "--kubelet: which pods? --pods FILE");
    if (o->kubelet && o->once)
        return err_set(e, -FAULT_USAGE, "--kubelet is for a watch that goes on, not for --once");
    return 0;
}

/* The pods of the table's rules; those that it does not have, by their namespaces. */
static int select_pods(const struct watch_options *o, struct pod_selection **ret)
{
    const struct pod_selection_config c = {.table = o->pods, .rules = &o->pod_rules, .namespaces = &o->namespaces};

    return o->pods ? pod_selection_new(&c, ret) : 0;
}

int watch_check(int argc, char **argv, struct err *e)
{
    CLEANUP(plan_done) struct plan plan = {0};
    CLEANUP_FREE char **dirs = NULL;
    struct watch_options o = {0};
    struct layout layout;
    mode_t mode;
    int r = watch_parse(argc, argv, &o, &dirs, e);

    if (r < 0 || (r = plan_init(&plan, &o.plan, e)) < 0 || (o.layout && (r = layout_parse(o.layout, &layout, e)) < 0))
        return r;
    if ((r = check_pods(&o, e)) < 0)
        return r;
    return o.dir_mode ? parse_mode(o.dir_mode, &mode, e) : 0;
}

static int run(int argc, char **argv)
{
    struct watch_options o = {0};
    CLEANUP(plan_done) struct plan plan = {0};
    CLEANUP(whoami_done) struct whoami who = {0};
    CLEANUP_FREE char **args = worker_arguments(WORKER_COMMAND, argc, argv);
    CLEANUP_FREE char **armer_args = worker_arguments("armer", argc, argv);
    CLEANUP_FREE char **notifier_args = worker_arguments("notifier", argc, argv);
    CLEANUP(notify_targets_done) struct notify_targets targets = {0};
    CLEANUP_FREE char **check_args = worker_arguments("watch-check", argc, argv);
    CLEANUP_FREE char **dirs = NULL;
    CLEANUP(metrics_server_stop_ptr) struct metrics_server *metrics = NULL;
    CLEANUP(pod_selection_free_ptr) struct pod_selection *selection = NULL;
    struct watcher_config config = {0};
    struct pod_roots_config pods = {.proc = "/proc", .rules = &o.pod_rules};
    struct layout layout;
    struct err e = {0};
    int r = watch_parse(argc, argv, &o, &dirs, &e);

    if (r < 0)
        return command_fail(r, &e);
    if (r == 0 && o.files.count == 0 && !o.kubelet)
        return command_error(-FAULT_USAGE, "watch: which folder? salvage watch DIR --to URL");
    config.source.dir_count = (unsigned)r;
    config.source.pods = o.kubelet != NULL;
    if (check_pods(&o, &e) < 0)
        return command_fail(-FAULT_USAGE, &e);
    if ((o.arm || o.arm_dir) && (r = check_arming(&o, r, &e)) < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)o.plan.log);
    if ((r = plan_init(&plan, &o.plan, &e)) < 0 || (r = plancheck(&plan, o.plan.state, o.ready, &e)) < 0 ||
        (r = plancheck_proxy(&plan, &e)) < 0)
        return command_fail(r, &e);
    for (unsigned i = 0; i < o.files.count; i++)
        if (!*text_base_name(o.files.item[i]))
            return command_error(-FAULT_USAGE, "--file: '%s' is not the name of a file", o.files.item[i]);
    if ((r = notify_options_read(&o.notify, &targets, &e)) < 0)
        return command_fail(r, &e);
    if (!args || !armer_args || !check_args || !notifier_args)
        return command_error(-ENOMEM, "out of memory");
    if ((r = whoami_get("/", &who, &e)) < 0)
        return command_fail(r, &e);
    if (o.events_fd && (o.events_fd > INT_MAX || log_set_copy((int)o.events_fd) < 0))
        return command_error(-FAULT_USAGE, "--events-fd: there is no descriptor %" PRIu64, o.events_fd);
    if (o.layout && (r = layout_parse(o.layout, &layout, &e)) < 0)
        return command_fail(r, &e);
    if (o.namespaces.count > 0 && !o.layout)
        return command_error(-FAULT_USAGE, "--namespace: which folder is a namespace? --layout namespace/pod");
    if (o.dir_mode && (r = make_folders(dirs, o.dir_mode, &e)) < 0)
        return command_fail(r, &e);
    config.source.dirs = (const char *const *)dirs;
    config.source.recursive = o.recursive;
    config.source.include = o.include;
    config.source.exclude = o.exclude;
    config.source.files = o.files;
    config.source.namespaces = o.namespaces;
    config.source.namespace_level = o.layout ? layout_depth(&layout, LAYOUT_NAMESPACE) : 0;
    config.source.pod_level = o.layout ? layout_depth(&layout, LAYOUT_POD) : 0;
    if (o.layout && config.source.pod_level < layout.count && (r = select_pods(&o, &selection)) < 0)
        return command_error(r, "out of memory");
    config.source.selection = selection;
    config.source.selection_waits = !o.once;
    pods.table = o.pods;
    pods.kubelet = o.kubelet;
    config.pods = o.kubelet ? &pods : NULL;
    config.plan = &plan;
    config.who = &who;
    config.layout = o.layout ? &layout : NULL;
    config.state = o.plan.state;
    config.settle_ms = o.settle_ms;
    config.grace_ms = o.grace_ms;
    config.stuck_ms = o.stuck_ms;
    config.retention = o.retention;
    config.core_spool = o.core_spool;
    config.once = o.once;
    config.follow = !o.once && follow_wanted((enum follow)o.follow, false);
    config.worker_args = args;
    config.armer_args = o.arm || o.arm_dir ? armer_args : NULL;
    config.notifier_args = notifier_args;
    config.notify = &targets;
    config.public_url = o.notify.public_url;
    config.check_args = o.once ? NULL : check_args;
    counters_forward(component_env_channel());
    if ((r = metrics_server_start_for(o.metrics, NULL, NULL, &metrics, &e)) < 0)
        return command_fail(r, &e);
    r = watcher_run(&config, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_WATCH = {
    .name = "watch",
    .args = "DIR... --to URL",
    .summary = "watch folders, and ship every dump the moment it is whole",
    .text =
        "Runs until SIGTERM. A file that is evidence and is complete is moved out of the application's way (into "
        "DIR/.salvage), compressed, sent, verified and then erased. Unfinished uploads of an earlier run are resumed. "
        "DIR's volume can't be unmounted while the watch runs: a lock in the state folder keeps a second watch out. "
        "With --state on another volume it can; so can volumes below DIR, where -r has no file open at rest.",
    .examples = "salvage watch /dumps --to s3://evidence/prod\n"
                "    as a sidecar: ships evidence that appears in /dumps to S3\n"
                "salvage watch /dumps --to https://files.example/dumps --once\n"
                "    ships the files that are complete now, and exits\n"
                "salvage watch /var/dumps -r --to file:///mnt/evidence --keep\n"
                "    for many pods, into a folder; local copies stay in .salvage/kept\n"
                "salvage watch /dumps --to s3://evidence/prod --arm\n"
                "    as the first, for JVMs without options for a dump (a shared PID namespace, one volume)\n",
    .options = WATCH_OPTIONS,
    .run = run,
};
