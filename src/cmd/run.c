/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage run: an application and its watch in one container, with us as PID 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/strv.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "hotspot/armplace.h"
#include "linux/launch.h"
#include "linux/username.h"
#include "net/secretenv.h"
#include "notify/notify_options.h"
#include "run/arm_protocol.h"
#include "run/jvmenv.h"
#include "run/rundir.h"
#include "run/supervise.h"
#include "ship/key_template.h"
#include "ship/plan.h"
#include "ship/plancheck.h"
#include "watch/follow.h"
#include "watch/retention.h"

struct run_options {
    struct plan_options plan;
    struct notify_options notify;
    const char *dir;
    uint64_t grace_ms;
    struct retention retention; /* its limits only: the rest is the watch's */
    int jvm;                    /* enum run_jvm */
    int follow;                 /* enum follow */
    bool no_jvm;
    struct opt_list pass_env;
};

enum run_jvm { JVM_AUTO, JVM_ATTACH, JVM_ENV, JVM_NO };

static const struct opt RUN_OPTIONS[] = {
    PLAN_OPTIONS_STORE(struct run_options, plan),
    {OPT_HEADING, .name = "Running"},
    {OPT_STRING, 0, "dir", "DIR", "/tmp/salvage", offsetof(struct run_options, dir),
     "where JVMs dump, and what is watched: each run makes a new folder in it. No other container may use the same: "
     "on a shared volume give each another one"},
    {OPT_CHOICE, 0, "jvm", "auto|attach|env|no", "auto", offsetof(struct run_options, jvm),
     "how JVMs are made to dump when memory runs out, if their options don't do so. attach: by attach, right after "
     "the start of each. env: by JAVA_TOOL_OPTIONS, from the very start, but then a JVM prints a line about it first. "
     "auto: attach, but env if JAVA_TOOL_OPTIONS is set already or JVMs can't be attached to. no: not at all"},
    {OPT_FLAG, 0, "no-jvm", NULL, NULL, offsetof(struct run_options, no_jvm), "the same as --jvm no"},
    {OPT_EXCLUDES, .name = "no-jvm", .arg = "jvm"},
    {OPT_LIST, 0, "pass-env", "NAME", NULL, offsetof(struct run_options, pass_env),
     "the application inherits this variable, too, though it is for salvage only (SALVAGE_HTTP_PASSWORD and others are "
     "removed from its environment; keys with AWS's and OBS's names are not); '*' stands for any letters; may be "
     "repeated"},
    {OPT_DURATION, 0, "grace", "DURATION", "10m", offsetof(struct run_options, grace_ms),
     "how long to go on shipping after the application's end"},
    RETENTION_LIMITS(struct run_options, retention),
    FOLLOW_ROW(struct run_options, follow),
    PLAN_OPTIONS_SHIP(struct run_options, plan),
    NOTIFY_OPTIONS(struct run_options, notify),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* Options that are passed on to the watch. */
static const struct opt PASSED_ON[] = {
    PLAN_OPTIONS_STORE(struct run_options, plan),
    {OPT_DURATION, 0, "grace", NULL, NULL, offsetof(struct run_options, grace_ms), NULL},
    RETENTION_LIMITS(struct run_options, retention),
    FOLLOW_ROW(struct run_options, follow),
    PLAN_OPTIONS_SHIP(struct run_options, plan),
    NOTIFY_OPTIONS(struct run_options, notify),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

struct run {
    struct run_options options;
    struct plan plan; /* only checked: the watch makes the plan again */
    struct rundir dir;
    struct jvmenv jvm;
    enum run_jvm how;
    struct strv env, watch, watch_instead, arm;
};

static void run_done(struct run *run)
{
    strv_done(&run->arm);
    strv_done(&run->watch_instead);
    strv_done(&run->watch);
    strv_done(&run->env);
    jvmenv_done(&run->jvm);
    rundir_done(&run->dir);
    plan_done(&run->plan);
}

/* Whether JVMs can be armed by attach: the socket is in /tmp, and in newer JVMs the path must have no '%'. */
static bool may_attach(const struct run *run, bool disabled, struct err *e)
{
    if (disabled)
        return err_set(e, -FAULT_REFUSED, "its options have -XX:+DisableAttachMechanism") == 0;
    if (faccessat(AT_FDCWD, "/tmp", W_OK | X_OK, AT_EACCESS) < 0)
        return err_set(e, -errno, "a JVM's attach socket has no place: /tmp: %s", strerror(errno)) == 0;
    return armplace_check(run->dir.path, e) == 0;
}

/* -ENOMEM. */
static int choose(struct run *run, char *const *command)
{
    CLEANUP(jvmenv_done) struct jvmenv user = {0};
    const char *tool_options = getenv("JAVA_TOOL_OPTIONS");
    struct err e = {0};
    int r;

    run->how = run->options.no_jvm || !run->dir.path ? JVM_NO : (enum run_jvm)run->options.jvm;
    if (run->how != JVM_AUTO && run->how != JVM_ATTACH)
        return 0;
    if ((r = jvmenv_make(command, run->dir.base, NULL, &user)) < 0)
        return r;
    if (run->how == JVM_AUTO) {
        /* HotSpot has no counters for a user without a name (OpenShift's): then nothing shows when a JVM can be
         * attached to. */
        bool env = (tool_options && *tool_options) || !may_attach(run, user.attach_disabled, &e) ||
                   !username_exists("/etc/passwd", geteuid());

        run->how = env ? JVM_ENV : JVM_ATTACH;
    } else if (!may_attach(run, user.attach_disabled, &e)) {
        log_event(EVENT_NO_DUMPS, LOG_STR("dir", run->dir.path), LOG_STR("error", e.msg));
    }
    return 0;
}

/* No error here keeps the application from starting: without a folder it runs as without us. */
static int prepare_dumps(struct run *run, char *const *command)
{
    struct err e = {0};
    int r;

    if (rundir_make(run->options.dir, &run->dir, &e) < 0)
        log_event(EVENT_NO_DUMPS, LOG_STR("dir", run->options.dir), LOG_STR("error", e.msg));
    if ((r = choose(run, command)) == 0)
        r = jvmenv_make(command, run->dir.base, run->how == JVM_ENV ? run->dir.path : NULL, &run->jvm);
    if (r == -EINVAL) {
        log_event(EVENT_NO_DUMPS, LOG_STR("dir", run->dir.path),
                  LOG_STR("error", "its name has both kinds of quotes: it can't be given to a JVM"));
        r = jvmenv_make(command, run->dir.base, NULL, &run->jvm);
    }
    for (size_t i = 0; r == 0 && i < run->jvm.missing.count; i++)
        log_event(EVENT_NO_DUMPS, LOG_STR("dir", run->jvm.missing.item[i]),
                  LOG_STR("error", "a JVM's options make it dump there, but the folder does not exist"));
    return r;
}

static int make_environment(struct run *run)
{
    int r =
        secretenv_without(environ, SECRETENV_OWN, run->options.pass_env.item, run->options.pass_env.count, &run->env);

    return r == 0 && run->jvm.variable ? strv_set(&run->env, run->jvm.variable, run->jvm.value) : r;
}

static bool is_given(const char *option, int own, char **argv)
{
    for (int i = 1; i < own; i++)
        if (text_starts(argv[i], option))
            return true;
    return false;
}

/* SALVAGE_HEADER may have a secret, such as a key for SSE-C, and so may SALVAGE_NOTIFY. The watch inherits the
 * variables, because any user can read a command line. */
static void leave_secrets_to_environment(struct run *run, int own, char **argv)
{
    if (!is_given("--header", own, argv))
        run->options.plan.headers.count = 0;
    if (!is_given("--notify", own, argv))
        run->options.notify.targets.count = 0;
}

static int check_targets(const struct run *run, struct err *e)
{
    CLEANUP(notify_targets_done) struct notify_targets targets = {0};

    return notify_options_read(&run->options.notify, &targets, e);
}

/* The arguments of a watch. folder: with the dumps; NULL: none. */
static int add_watch(struct strv *w, const struct run *run, const char *folder)
{
    int r;

    if ((r = strv_add(w, "salvage")) < 0 || (r = strv_add(w, "watch")) < 0 ||
        (r = opt_arguments(PASSED_ON, &run->options, w)) < 0 ||
        (r = strv_printf(w, "--events-fd=%d", LAUNCH_CHANNEL)) < 0)
        return r;
    for (size_t i = 0; r == 0 && i < run->jvm.files.count; i++)
        r = strv_printf(w, "--file=%s", run->jvm.files.item[i]);
    if (r == 0 && folder && (r = strv_add(w, "--recursive")) == 0 && (r = strv_add(w, "--")) == 0)
        r = strv_add(w, folder);
    return r;
}

/* Both stay empty if there is nothing to watch. */
static int make_watches(struct run *run)
{
    int r = 0;

    if (run->dir.base || run->jvm.files.count > 0)
        r = add_watch(&run->watch, run, run->dir.base);
    return r == 0 && run->dir.base ? add_watch(&run->watch_instead, run, run->dir.path) : r;
}

static int make_arm(struct run *run)
{
    struct run_arm_request request = {
        .dir = run->dir.path, .armed = run->how == JVM_ENV, .log = (enum log_format)run->options.plan.log};

    if (run->how == JVM_NO || !run->dir.path)
        return 0;
    return run_arm_encode(&request, &run->arm);
}

static int run(int argc, char **argv)
{
    CLEANUP(run_done) struct run run = {.dir = RUNDIR_NONE};
    CLEANUP_FREE char **operands = NULL;
    struct supervise_config config = {0};
    struct err e = {0};
    int own = opt_leading(RUN_OPTIONS, argc, argv),
        r = opt_parse(RUN_OPTIONS, &(struct opt_argv){own, argv}, &run.options, &operands, &e);

    if (r < 0)
        return command_fail(r, &e);
    if (own == argc)
        return command_error(-FAULT_USAGE, "run: which command? salvage run --to URL -- java -jar app.jar");
    log_set_format((enum log_format)run.options.plan.log);
    /* The watch does not know that the application shares its limits. */
    run.options.follow = follow_wanted((enum follow)run.options.follow, true) ? FOLLOW_YES : FOLLOW_NO;
    if ((r = plan_init(&run.plan, &run.options.plan, &e)) < 0 ||
        (r = plancheck(&run.plan, run.options.plan.state, NULL, &e)) < 0 || (r = check_targets(&run, &e)) < 0)
        return command_fail(r, &e);
    leave_secrets_to_environment(&run, own, argv);
    if (prepare_dumps(&run, argv + own) < 0 || make_environment(&run) < 0 || make_watches(&run) < 0 ||
        make_arm(&run) < 0)
        return command_error(-ENOMEM, "out of memory");
    config.app = argv + own;
    config.env = run.env.item;
    config.watch = run.watch.item;
    config.watch_instead = run.watch_instead.item;
    config.arm = run.arm.item;
    config.grace_ms = run.options.grace_ms;
    r = supervise_run(&config, &e);
    if (r >= 0)
        return r;
    command_fail(r, &e);
    return r == -ENOENT ? 127 : 126; /* as a shell does */
}

const struct command CMD_RUN = {
    .name = "run",
    .args = "[OPTION...] [--] COMMAND...",
    .summary = "run an application, also as PID 1, and ship what it leaves when it dies",
    .text =
        "For containers that have no sidecar. JVMs are made to dump when memory runs out, unless their options do so: "
        "see --jvm. A JVM that dies within its first tenths of a second is too quick for attach, and attach can't set "
        "OnOutOfMemoryError: --jvm env handles the first, the command line both. Signals are passed on, and orphans "
        "are reaped. When the command has ended, what it left is shipped, and the exit status is the command's: 128 "
        "plus the number of the signal that killed it, 127 if there is no such command, 126 if it cannot be run. The "
        "command begins with the first argument that is no option. A second SIGTERM or SIGINT ends the shipping, too. "
        "If the kernel kills the whole container because memory ran out (memory.oom.group, as Kubernetes sets it with "
        "cgroup v2), salvage is killed, too: the next run with the same --dir ships what was left.",
    .examples = "salvage run --to s3://evidence/prod -- java -jar app.jar\n"
                "    as the entry point of an image\n"
                "SALVAGE_TO=s3://evidence/prod salvage run java -jar app.jar\n"
                "    the same\n",
    .options = RUN_OPTIONS,
    .wraps = true,
    .run = run,
};
