/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage jvm dump: heap dumps of running JVMs, into files or into the store.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/jvm.h"
#include "hotspot/jvm_find.h"
#include "linux/interrupt.h"
#include "place/environment_facts.h"
#include "ship/evidence_owner.h"
#include "ship/heapdump_capture.h"
#include "ship/key_template.h"

struct jvm_dump_options {
    struct plan_options plan;
    struct dump_options dump;
    const char *out, *cause;
    bool all, json, stream;
};

static const struct opt DUMP_OPTIONS[] = {
    {OPT_HEADING, .name = "Dump"},
    {OPT_FLAG, 0, "all", NULL, NULL, offsetof(struct jvm_dump_options, all),
     "dump every visible JVM, one after the other"},
    {OPT_FLAG, 0, "live", NULL, NULL, offsetof(struct jvm_dump_options, dump.live),
     "only objects that are reachable: the JVM does a full collection first"},
    {OPT_STRING, 0, "out", "FILE", NULL, offsetof(struct jvm_dump_options, out),
     "write to this file or folder; default, without --to: the working folder"},
    {OPT_FLAG, 0, "stream", NULL, NULL, offsetof(struct jvm_dump_options, stream),
     "with --to: without a disk, through a FIFO; the JVM is stopped meanwhile (JDK 17 to 21)"},
    {OPT_STRING, 0, "dir", "DIR", NULL, offsetof(struct jvm_dump_options, dump.folder),
     "the folder the JVM writes to, a path in its container; default: that of HeapDumpPath, its working folder, its "
     "/tmp, the first with room"},
    {OPT_UINT, 0, "parallel", "N", NULL, offsetof(struct jvm_dump_options, dump.parallel),
     "number of threads of the JVM that write, JDK 22 and newer"},
    {OPT_UINT, 0, "gzip", "LEVEL", NULL, offsetof(struct jvm_dump_options, dump.gzip),
     "the JVM compresses what it writes, 1 to 9, JDK 15 and newer: less disk, more time"},
    {OPT_FLAG, 0, "force", NULL, NULL, offsetof(struct jvm_dump_options, dump.force),
     "dump even if there seems to be no room"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct jvm_dump_options, json),
     "print a JSON object for each dump; with --to its manifest"},
    {OPT_STRING, 0, "cause", "NAME", "manual", offsetof(struct jvm_dump_options, cause),
     "with --to: why it was made: manual, pressure, prestop"},
    PLAN_OPTIONS_STORE(struct jvm_dump_options, plan),
    PLAN_OPTIONS_SHIP(struct jvm_dump_options, plan),
    {OPT_EXCLUDES, .name = "out", .arg = "to"},
    {OPT_EXCLUDES, .name = "out", .arg = "stream"},
    {OPT_EXCLUDES, .name = "stream", .arg = "gzip"},
    {OPT_EXCLUDES, .name = "stream", .arg = "parallel"},
    {OPT_EXCLUDES, .name = "stream", .arg = "dir"},
    {OPT_EXCLUDES, .name = "all", .arg = OPT_OPERANDS},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static int check(const struct jvm_dump_options *o, int count, struct err *e)
{
    const char *what = NULL;

    if (o->all && count > 0)
        what = "--all and process ids exclude each other";
    else if (o->out && o->plan.to)
        what = "--out and --to exclude each other";
    else if (text_eq(o->out, "-"))
        what = "--out: a heap dump can't go to stdout: give a file or a folder (for a file called '-': ./-)";
    else if (o->out && !*o->out)
        what = "--out: an empty path";
    else if (o->stream && !o->plan.to)
        what = "--stream needs a store: give --to";
    else if (o->stream && (o->dump.gzip > 0 || o->dump.parallel > 0 || o->dump.folder))
        what = "--stream excludes --gzip, --parallel and --dir: there is no file";
    else if (o->dump.gzip > 9)
        what = "--gzip: levels are 1 to 9";
    else if (o->dump.parallel > 256)
        what = "--parallel: up to 256 threads";
    else if (o->dump.folder && *o->dump.folder != '/')
        what = "--dir: an absolute path, as the JVM sees it";
    return what ? err_set(e, -FAULT_USAGE, "jvm dump: %s", what) : 0;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return text_ends(path, "/") || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

/* The file to write: --out itself, or a new name in that folder. malloc'ed. */
static char *path_for(const struct jvm_dump_options *o, const struct jvm *j)
{
    const char *out = o->out ? o->out : ".";
    char time[CLOCK_TEXT_MAX], *path;

    if (!is_folder(out))
        return strdup(out);
    clock_format_basic(clock_wall_ns(), time);
    return asprintf(&path, "%s%sjava_pid%d-%s.hprof%s", out, text_ends(out, "/") ? "" : "/", (int)j->proc.pid, time,
                    o->dump.gzip ? ".gz" : "") < 0
               ? NULL
               : path;
}

static int report(const struct jvm_dump_options *o, const struct jvm *j, const char *path, const struct dumped *d,
                  struct err *e)
{
    CLEANUP_FREE char *json = NULL;
    char size[TEXT_SIZE_MAX], pause[PAUSE_TEXT_MAX];
    json_t *object;

    if (!o->json) {
        fprintf(stderr, "salvage: JVM %d: %s in %.1f s, stopped for %s\n", (int)j->proc.pid,
                text_format_size(d->size, size), (double)d->took_ms / 1000, pause_print(&d->pause, pause));
        return command_put(path) < 0 ? err_set(e, -EIO, "cannot write to stdout") : 0;
    }
    object = json_pack("{s:i, s:s, s:I, s:f, s:b, s:f, s:s*, s:s*}", "pid", (int)j->proc.pid, "path", path, "bytes",
                       (json_int_t)d->size, "seconds", (double)d->took_ms / 1000, "live", o->dump.live, "pause_ms",
                       (double)d->pause.us / 1000, "pause_by", pause_name(d->pause.by), "partial", d->cut);
    json = object ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(6)) : NULL;
    json_decref(object);
    if (!json)
        return err_set(e, -EINVAL, "%s: not UTF-8: it can't be printed as JSON", path);
    return jvm_write(json, strlen(json), e) < 0 ? -EIO : jvm_write("\n", 1, e);
}

static int dump_into_file(const struct jvm_dump_options *o, const struct jvm *j, struct err *e)
{
    CLEANUP(dumped_done) struct dumped d = {0};
    CLEANUP_FREE char *path = path_for(o, j);
    int r;

    if (!path)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = dump_to_file(j, &o->dump, path, &d, e)) < 0 || (r = report(o, j, path, &d, e)) < 0)
        return r;
    /* An incomplete dump is still evidence, and stays. */
    return d.cut ? err_set(e, -FAULT_SOME, "%s is incomplete: %s", path, d.cut) : 0;
}

/* s NULL: into a file. */
static int dump_one(const struct jvm_dump_options *o, pid_t pid, struct shipping *s, struct err *e)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP(whoami_done) struct whoami its = {0};
    struct shipping its_own;
    int r = jvm_open("/proc", pid, &j, e);

    if (r < 0)
        return r;
    if (!s)
        return dump_into_file(o, &j, e);
    its_own = *s;
    evidence_owner_set(&its_own, &j.proc, &its);
    r = o->stream ? dump_by_stream(&j, &o->dump, &its_own, e) : dump_to_store(&j, &o->dump, &its_own, e);
    s->sink = its_own.sink;
    return r;
}

/* A JVM that can't be dumped does not stop the others; the first fault is the exit code. */
static int dump_each(const struct jvm_dump_options *o, const pid_t *pids, size_t count, struct shipping *s)
{
    int exit_code = 0;

    for (size_t i = 0; i < count && !interrupt_caught(); i++) {
        struct err e = {0};
        int r = dump_one(o, pids[i], s, &e);

        if (r < 0) {
            int code = command_fail(r, &e);

            exit_code = exit_code ? exit_code : code;
        }
    }
    return exit_code;
}

static int find_pids(const struct jvm_dump_options *o, char *const *operands, struct jvm_pids *ret, struct err *e)
{
    uint64_t pid;

    int r;

    if (o->all || !*operands) {
        if ((r = jvm_find("/proc", ret, e)) < 0 || o->all || ret->count < 2)
            return r;
        return err_set(
            e, -FAULT_USAGE,
            "jvm dump: give a process: %zu JVMs are visible from here (salvage jvm ps lists them): PID, or --all",
            ret->count);
    }
    for (; *operands; operands++) {
        if (text_parse_uint(*operands, INT32_MAX, &pid) < 0 || pid == 0)
            return err_set(e, -FAULT_USAGE, "jvm dump: '%s' is not a process id (salvage jvm ps lists them)",
                           *operands);
        if (jvm_pids_add(ret, (pid_t)pid) < 0)
            return err_set(e, -ENOMEM, "out of memory");
    }
    return 0;
}

static int dump_all_into_store(const struct jvm_dump_options *o, const struct jvm_pids *pids)
{
    CLEANUP(plan_done) struct plan plan = {0};
    CLEANUP(whoami_done) struct whoami who = {0};
    CLEANUP(facts_done) struct facts facts = {0};
    struct shipping s = {.plan = &plan, .who = &who, .facts = &facts, .cause = o->cause, .json = o->json};
    struct err e = {0};
    int exit_code, r = plan_init(&plan, &o->plan, &e);

    if (r < 0)
        return command_fail(r, &e);
    if ((r = whoami_get("/", &who, &e)) < 0)
        return command_fail(r, &e);
    if (environment_facts_get("/", &who, &facts) < 0)
        return command_error(-ENOMEM, "out of memory");
    s.state = o->plan.state;
    if ((r = shipping_try_store(&s, SHIPPING_TRY_MS, &e)) < 0) {
        sink_close(s.sink);
        return command_fail(r, &e);
    }
    exit_code = dump_each(o, pids->pid, pids->count, &s);
    sink_close(s.sink);
    return exit_code;
}

static int run(int argc, char **argv)
{
    struct jvm_dump_options o = {0};
    CLEANUP(jvm_pids_done) struct jvm_pids pids = {0};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int exit_code, r = opt_parse(DUMP_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e);

    if (r < 0 || (r = check(&o, r, &e)) < 0 || (r = find_pids(&o, operands, &pids, &e)) < 0)
        return command_fail(r, &e);
    if (pids.count == 0)
        return command_error(-ESRCH, "jvm dump: no JVM is visible from here%s",
                             pids.hidden ? ": those of other users only to root, in a container with CAP_SYS_PTRACE"
                                         : "");
    if (pids.count > 1 && o.out && !is_folder(o.out))
        return command_error(-FAULT_USAGE, "jvm dump: --out: %zu dumps need a folder, and %s is not one", pids.count,
                             o.out);
    log_set_format((enum log_format)o.plan.log);
    o.dump.timeout_ms = o.plan.timeout_ms;
    interrupt_catch();
    exit_code = o.plan.to ? dump_all_into_store(&o, &pids) : dump_each(&o, pids.pid, pids.count, NULL);
    interrupt_release();
    return exit_code;
}

const struct command CMD_JVM_DUMP = {
    .name = "jvm dump",
    .args = "[PID...|--all] [--out FILE | --to URL]",
    .summary = "take a heap dump of a running JVM, into a file or the store",
    .text = "The JVM writes the dump into a hidden folder in one of its folders; from there salvage moves it to --out, "
            "readable for the caller only, or ships it to --to, compressed and verified, and prints its path or URL. "
            "The application is stopped while the JVM writes. If there is not enough room, no dump is made: up to 1.75 "
            "times the heap in use is needed, with JDK 22 and newer twice as much. A dump that is cut off nevertheless "
            "is kept, or shipped, and the exit code is 1. --timeout applies to a silent JVM as well as to a store that "
            "transfers nothing.\n\n"
            "With --stream the dump goes through a FIFO directly into the store: the application is stopped for as "
            "long as that takes, and goes on at once if the store fails.",
    .examples = "salvage jvm dump 7\n"
                "    into the working folder\n"
                "salvage jvm dump 7 --live --to s3://evidence/prod\n"
                "    only reachable objects, to S3\n"
                "salvage jvm dump 7 --stream --to https://files.example/dumps\n"
                "    from a container without a disk\n"
                "salvage jvm dump --all --out /var/dumps/\n"
                "    every JVM of this machine, as root\n",
    .options = DUMP_OPTIONS,
    .run = run,
};
