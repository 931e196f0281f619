/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage jvm arm: makes running JVMs dump at an OutOfMemoryError. Selects the JVMs and reports; hotspot/arm.h arms.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "arm/armfollow.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/jvm.h"
#include "hotspot/jvm_find.h"

enum { QUICK_MS = 2000, LINE_CEILING = 1024 * 1024 };

struct arm_options {
    struct jvm_options jvm;
    const char *dir;
    uint64_t every_ms;
    bool all, undo, force, json, follow;
    int log;
};

static const struct opt ARM_OPTIONS[] = {
    {OPT_FLAG, 'a', "all", NULL, NULL, offsetof(struct arm_options, all), "every JVM that is visible from here"},
    {OPT_STRING, 'd', "dir", "DIR", NULL, offsetof(struct arm_options, dir),
     "the folder for dumps, a path in the JVM's container; it must exist, and be writable for the JVM"},
    {OPT_FLAG, 0, "undo", NULL, NULL, offsetof(struct arm_options, undo),
     "restore the values of the JVM's command line and environment"},
    {OPT_FLAG, 0, "force", NULL, NULL, offsetof(struct arm_options, force),
     "replace a HeapDumpPath that was given to the JVM, too"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct arm_options, json), "print an array with an object for each JVM"},
    {OPT_FLAG, 'f', "follow", NULL, NULL, offsetof(struct arm_options, follow),
     "also arm JVMs that start later, until SIGTERM or SIGINT; logs each. Implies --all"},
    {OPT_DURATION, 0, "every", "DURATION", "2s", offsetof(struct arm_options, every_ms),
     "with --follow: how often to look for new JVMs"},
    JVM_OPTION_TIMEOUT(struct arm_options, jvm),
    {OPT_CHOICE, 0, "log", "text|json", "text", offsetof(struct arm_options, log), "form of the log of --follow"},
    {OPT_EXCLUDES, .name = "follow", .arg = "undo"},
    {OPT_EXCLUDES, .name = "follow", .arg = "json"},
    {OPT_EXCLUDES, .name = "follow", .arg = OPT_OPERANDS},
    {OPT_EXCLUDES, .name = "all", .arg = OPT_OPERANDS},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* The state of one run. */
struct arming {
    const struct arm_options *options;
    struct arm_request request;
    json_t *array; /* NULL: lines of text */
    unsigned failed;
    pid_t pid; /* being armed */
};

static const char *word(const struct arm_request *q, const struct arm_result *r)
{
    static const char *const words[] = {"armed", "armed already", "disarmed", "not armed"};

    return r->outcome == ARM_NOT_ARMED && r->now.on && q->undo ? "armed by others" : words[r->outcome];
}

/* As text */

static int add_flags(struct buf *b, const struct arm_flags *f)
{
    return f->path ? buf_printf(b, "%s, HeapDumpPath=%s", f->on ? "on" : "off", f->path)
                   : buf_printf(b, "%s, no HeapDumpPath", f->on ? "on" : "off");
}

static int print_line(const struct arming *a, const struct jvm *j, const struct arm_result *r, struct err *e)
{
    CLEANUP(buf_done) struct buf line = {.ceiling = LINE_CEILING};
    CLEANUP_FREE char *fit = NULL;
    bool changed = r->outcome == ARM_ARMED || r->outcome == ARM_DISARMED;

    if (buf_printf(&line, "%d %s: ", (int)j->proc.pid, word(&a->request, r)) < 0 || add_flags(&line, &r->now) < 0 ||
        (changed &&
         (buf_add_text(&line, " (was ") < 0 || add_flags(&line, &r->before) < 0 || buf_add_text(&line, ")") < 0)) ||
        (r->own_path && buf_add_text(&line, "; the HeapDumpPath it was given was kept") < 0) ||
        (r->too_late &&
         buf_add_text(&line, "; too late: it had an OutOfMemoryError before, and dumps at the first one only") < 0) ||
        !(fit = malloc(line.size + 1)))
        return err_set(e, -ENOMEM, "out of memory");
    text_printable(buf_text(&line), fit, line.size + 1);
    if (buf_clear(&line), buf_printf(&line, "%s\n", fit) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    return jvm_write(line.data, line.size, e);
}

/* As JSON */

static json_t *text_of(const char *text)
{
    json_t *string = text ? json_string(text) : json_null();

    return string ? string : json_string("?"); /* not UTF-8 */
}

static json_t *flags_of(const struct arm_flags *f)
{
    return json_pack("{s:b, s:o}", "heap_dump", f->on, "heap_dump_path", text_of(f->path));
}

/* error: why it failed; NULL if it did not. */
static int add_object(const struct arming *a, const struct jvm *j, const struct arm_result *r, const char *error,
                      struct err *e)
{
    json_t *o = json_pack("{s:i, s:o, s:o}", "pid", (int)a->pid, "inner_pid",
                          j->status.inner_pid ? json_integer(j->status.inner_pid) : json_null(), "command",
                          text_of(j->command));
    int bad = o ? 0 : -1;

    if (error)
        bad |= json_object_set_new(o, "state", json_string("failed")) | json_object_set_new(o, "error", text_of(error));
    else
        bad |= json_object_set_new(o, "state", json_string(word(&a->request, r))) |
               json_object_set_new(o, "before", flags_of(&r->before)) |
               json_object_set_new(o, "now", flags_of(&r->now)) |
               json_object_set_new(o, "own_path", json_boolean(r->own_path)) |
               json_object_set_new(o, "too_late", json_boolean(r->too_late));
    if (bad || json_array_append(a->array, o) < 0) {
        json_decref(o);
        return err_set(e, -ENOMEM, "out of memory");
    }
    json_decref(o);
    return 0;
}

static int print_array(const json_t *array, struct err *e)
{
    CLEANUP_FREE char *text = json_dumps(array, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    int r = text ? jvm_write(text, strlen(text), e) : err_set(e, -ENOMEM, "out of memory");

    return r < 0 ? r : jvm_write("\n", 1, e);
}

/* Arming */

/* 0 also if the JVM could not be armed, which is reported; -EAGAIN if it was silent and is to be tried again with the
 * full timeout. */
static int arm_one(struct arming *a, pid_t pid, bool quick, struct err *e)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP(arm_result_done) struct arm_result result = {0};
    struct err why = {0};
    int r = jvm_open("/proc", pid, &j, &why);

    a->pid = pid;
    a->request.wait.timeout_ms = quick && a->options->jvm.timeout_ms > QUICK_MS ? QUICK_MS : a->options->jvm.timeout_ms;
    if (r == 0)
        r = arm_jvm(&j, &a->request, &result, &why);
    if (r == -ESRCH && a->options->all)
        return 0; /* ended since it was seen */
    if (r == -ETIMEDOUT && a->request.wait.timeout_ms < a->options->jvm.timeout_ms)
        return -EAGAIN;
    if (r < 0) {
        command_fail(r, &why);
        a->failed++;
    }
    if (a->array)
        return add_object(a, &j, &result, r < 0 ? why.msg : NULL, e);
    return r < 0 ? 0 : print_line(a, &j, &result, e);
}

/* Silent JVMs are tried again last, so that the others do not wait for them. */
static int arm_each(struct arming *a, pid_t *pids, size_t count, struct err *e)
{
    size_t silent = 0;
    int r = 0;

    for (size_t i = 0; i < count && r == 0; i++)
        if ((r = arm_one(a, pids[i], count > 1, e)) == -EAGAIN) {
            pids[silent++] = pids[i];
            r = 0;
        }
    for (size_t i = 0; i < silent && r == 0; i++)
        r = arm_one(a, pids[i], false, e);
    return r;
}

static int arm_all(struct arming *a, struct err *e)
{
    CLEANUP(jvm_pids_done) struct jvm_pids found = {0};
    int r = jvm_find("/proc", &found, e);

    if (r < 0)
        return r;
    if (found.count == 0)
        return err_set(e, -FAULT_SOME,
                       "jvm arm: no JVM is visible from here (%zu processes of other users could not be inspected): "
                       "share the pid namespace, or run as root",
                       found.hidden);
    return arm_each(a, found.pid, found.count, e);
}

/* Without operands: the only visible JVM. */
static int arm_named(struct arming *a, char *const *operands, size_t count, struct err *e)
{
    CLEANUP_FREE pid_t *pids = calloc(count + 1, sizeof(*pids));
    int r = 0;

    if (!pids)
        return err_set(e, -ENOMEM, "out of memory");
    if (count == 0)
        return (r = jvm_only("jvm arm", pids, e)) < 0 ? r : arm_each(a, pids, 1, e);
    for (size_t i = 0; i < count && r == 0; i++)
        r = jvm_pid("jvm arm", operands[i], &pids[i], e);
    return r < 0 ? r : arm_each(a, pids, count, e);
}

static int arm_once(struct arming *a, char *const *operands, size_t count, struct err *e)
{
    int r;

    if (a->options->json && !(a->array = json_array()))
        return err_set(e, -ENOMEM, "out of memory");
    r = a->options->all ? arm_all(a, e) : arm_named(a, operands, count, e);
    if (a->array && (r == 0 || r == -FAULT_SOME)) {
        struct err other;
        int printed = print_array(a->array, r == 0 ? e : &other);

        r = r == 0 ? printed : r;
    }
    json_decref(a->array);
    return r;
}

static int follow(const struct arm_options *o, const struct arm_request *request, struct err *e)
{
    struct armfollow_config config = {.request = *request, .every_ms = o->every_ms, .timeout_ms = o->jvm.timeout_ms};
    CLEANUP_FD int stop = -1;
    sigset_t ends;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    config.stop_fd = stop = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
    if (stop < 0)
        return err_set(e, -errno, "signalfd: %s", strerror(errno));
    log_set_format((enum log_format)o->log);
    return armfollow_run(&config, e);
}

static int check(const struct arm_options *o, int count, struct err *e)
{
    if (o->follow && (o->undo || o->json))
        return err_set(e, -FAULT_USAGE, "jvm arm: --follow excludes --undo and --json (use --log json)");
    if (o->follow && o->every_ms == 0)
        return err_set(e, -FAULT_USAGE, "jvm arm: --every must be greater than 0");
    if ((o->all || o->follow) && count > 0)
        return err_set(e, -FAULT_USAGE, "jvm arm: give either process ids or --all (or --follow)");
    if (o->undo)
        return 0;
    if (!o->dir)
        return err_set(e, -FAULT_USAGE, "jvm arm: give the folder for dumps: --dir DIR");
    return armplace_check(o->dir, e) < 0 ? err_prefix(e, -FAULT_USAGE, "--dir") : 0;
}

static int run(int argc, char **argv)
{
    struct arm_options o = {0};
    struct arming a = {.options = &o};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int r = opt_parse(ARM_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e), count = r;

    if (r < 0 || (r = check(&o, count, &e)) < 0)
        return command_fail(r, &e);
    a.request = (struct arm_request){.place.dir = o.dir, .force = o.force, .undo = o.undo, .history = true};
    r = o.follow ? follow(&o, &a.request, &e) : arm_once(&a, operands, (size_t)count, &e);
    if (r < 0)
        return command_fail(r, &e);
    return a.failed ? fault_find(-FAULT_SOME)->exit_code : 0;
}

const struct command CMD_JVM_ARM = {
    .name = "jvm arm",
    .args = "[PID...|--all] --dir DIR",
    .summary = "make running JVMs dump at an OutOfMemoryError, without a restart",
    .text = "Sets HeapDumpOnOutOfMemoryError, and HeapDumpPath to DIR/POD-PID-TIME.hprof (ECS task or host name where "
            "there is no pod name; the pid in its container; the start of the process), so that no dump blocks that of "
            "the next process. A JVM that is armed already is not changed. A JVM that was given a HeapDumpPath keeps "
            "it unless --force is given: only the dump is switched on. The setting lasts until the JVM ends. A JVM "
            "dumps at its first OutOfMemoryError only: one that has survived its first cannot be armed any more, and "
            "is reported as too late. "
            "--undo goes back to the command line and the environment; a HeapDumpPath that was set at run time and "
            "that --force replaced does not come back. The exit code is 1 if one of the JVMs could not be armed.",
    .examples = "salvage jvm arm 7 --dir /dumps\n"
                "    the next OutOfMemoryError of process 7 leaves a dump in its /dumps\n"
                "salvage jvm arm --all --dir /dumps --follow\n"
                "    every JVM, also those that start later (see also salvage watch --arm)\n"
                "salvage jvm arm 7 --undo\n"
                "    back to the options it was started with\n",
    .options = ARM_OPTIONS,
    .run = run,
};
