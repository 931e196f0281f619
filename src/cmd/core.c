/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage core: a core of a running process, into a file, to stdout or into the store.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "linux/interrupt.h"
#include "place/environment_facts.h"
#include "ship/core_capture.h"
#include "ship/evidence_owner.h"
#include "ship/key_template.h"

struct core_options {
    struct plan_options plan;
    const char *out, *cause;
    bool consistent, quick, all_memory, json;
    uint64_t at_most_ms;
};

static const struct opt OPTIONS[] = {
    {OPT_HEADING, .name = "Core"},
    {OPT_STRING, 0, "out", "FILE", NULL, offsetof(struct core_options, out),
     "write to this file or folder, or - for stdout; default, without --to: the working folder"},
    {OPT_FLAG, 0, "consistent", NULL, NULL, offsetof(struct core_options, consistent),
     "stop the process while its memory is copied, so that it can't grow meanwhile: the default"},
    {OPT_FLAG, 0, "quick", NULL, NULL, offsetof(struct core_options, quick),
     "stop it only for some milliseconds, to read registers and the list of mappings; its memory changes while it is "
     "copied"},
    {OPT_DURATION, 0, "at-most", "DURATION", "10s", offsetof(struct core_options, at_most_ms),
     "how long it may be stopped; then it runs on, and the rest is copied as with --quick"},
    {OPT_FLAG, 0, "all-memory", NULL, NULL, offsetof(struct core_options, all_memory),
     "also mapped files, and memory marked MADV_DONTDUMP; else as the process's coredump_filter says"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct core_options, json), "with --to: print the manifest"},
    {OPT_STRING, 0, "cause", "NAME", "manual", offsetof(struct core_options, cause),
     "with --to: why it was made: manual, pressure"},
    PLAN_OPTIONS_STORE(struct core_options, plan),
    PLAN_OPTIONS_SHIP(struct core_options, plan),
    {OPT_EXCLUDES, .name = "out", .arg = "to"},
    {OPT_EXCLUDES, .name = "out", .arg = "json"},
    {OPT_EXCLUDES, .name = "quick", .arg = "consistent"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static int check(const struct core_options *o, char *const *operands, int count, pid_t *ret, struct err *e)
{
    const char *what = NULL, *near = count == 1 ? command_nearest(CMD_CORE.parts, strlen("core "), operands[0]) : NULL;
    uint64_t pid = 0;

    if (count != 1)
        what = count == 0 ? "give a process: salvage core PID" : "one process at a time";
    else if (text_parse_uint(operands[0], INT32_MAX, &pid) < 0 || pid == 0)
        return near ? err_set(e, -FAULT_USAGE, "no command 'core %s': did you mean '%s'?", operands[0], near)
                    : err_set(e, -FAULT_USAGE, "core: '%s' is not a process id", operands[0]);
    else if (o->out && o->plan.to)
        what = "--out and --to exclude each other";
    else if (o->quick && o->consistent)
        what = "--quick and --consistent exclude each other";
    else if (o->json && !o->plan.to)
        what = "--json prints the manifest of a stored core: give --to";
    else if (o->at_most_ms == 0)
        what = "--at-most must be greater than 0";
    if (what)
        return err_set(e, -FAULT_USAGE, "core: %s", what);
    *ret = (pid_t)pid;
    return 0;
}

/* The file to write: --out itself, or a new name in that folder. malloc'ed. */
static char *path_for(const struct core_options *o, const struct proc *p)
{
    const char *out = o->out && *o->out ? o->out : ".";
    char name[CORING_NAME_MAX], *path;
    struct stat st;

    if (o->out && !text_ends(out, "/") && (stat(out, &st) < 0 || !S_ISDIR(st.st_mode)))
        return strdup(out);
    return asprintf(&path, "%s%s%s", out, text_ends(out, "/") ? "" : "/", coring_name(p, name)) < 0 ? NULL : path;
}

/* Reports what a reader of the core must know. */
static void report(const struct proc *p, const struct live_core *s)
{
    char size[TEXT_SIZE_MAX];
    int pid = (int)p->pid;

    if (s->cut)
        fprintf(stderr, "salvage: warning: process %d ended while its memory was copied: the core is incomplete\n",
                pid);
    if (s->unstopped > 0)
        fprintf(stderr,
                "salvage: warning: %zu threads of process %d were waiting in the kernel and did not stop: most of "
                "their registers are unknown\n",
                s->unstopped, pid);
    if (s->late > 0)
        fprintf(stderr,
                "salvage: warning: process %d was released before everything was copied: %s of its memory may be "
                "inconsistent with the rest\n",
                pid, text_format_size(s->late, size));
    if (s->lost > 0)
        fprintf(stderr, "salvage: warning: %s of process %d could not be read, and are zeros in the core\n",
                text_format_size(s->lost, size), pid);
    fprintf(stderr, "salvage: process %d: %s, %zu thread%s, stopped for %.1f ms\n", pid,
            text_format_size(s->size, size), s->threads, s->threads == 1 ? "" : "s", (double)s->stopped_us / 1000);
}

static int write_file(const struct core_options *o, const struct proc *p, const struct live_core_options *how,
                      struct live_core *result, struct err *e)
{
    CLEANUP_FREE char *path = NULL;
    int r;

    if (text_eq(o->out, "-"))
        return core_to_descriptor(p, how, STDOUT_FILENO, result, e);
    if (!(path = path_for(o, p)))
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = core_to_file(p, how, path, result, e)) < 0)
        return r;
    return command_put(path) < 0 ? err_set(e, -EIO, "cannot write to stdout") : 0;
}

static int ship_core(const struct core_options *o, const struct proc *p, const struct live_core_options *how,
                     struct live_core *result, struct err *e)
{
    CLEANUP(plan_done) struct plan plan = {0};
    CLEANUP(whoami_done) struct whoami who = {0}, its = {0};
    CLEANUP(facts_done) struct facts facts = {0};
    struct shipping s = {.plan = &plan, .who = &who, .facts = &facts, .cause = o->cause, .json = o->json};
    int r = plan_init(&plan, &o->plan, e);

    if (r < 0)
        return r;
    if ((r = whoami_get("/", &who, e)) < 0)
        return r;
    if (environment_facts_get("/", &who, &facts) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    evidence_owner_set(&s, p, &its);
    if ((r = shipping_try_store(&s, SHIPPING_TRY_MS, e)) == 0)
        r = core_to_store(p, how, &s, result, e);
    sink_close(s.sink);
    return r;
}

static int take_core(const struct core_options *o, pid_t pid, struct err *e)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    struct live_core_options how = {.quick = o->quick, .all_memory = o->all_memory, .at_most_ms = o->at_most_ms};
    struct live_core result = {0};
    int r = proc_open("/proc", pid, &p);

    if (r < 0)
        return err_set(e, r, r == -ESRCH ? "there is no process %d" : "cannot inspect process %d: there is no /proc",
                       (int)pid);
    r = o->plan.to ? ship_core(o, &p, &how, &result, e) : write_file(o, &p, &how, &result, e);
    if (r == 0)
        report(&p, &result);
    return r;
}

static int run(int argc, char **argv)
{
    struct core_options o = {0};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    pid_t pid = 0;
    int r = opt_parse(OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e);

    if (r < 0 || (r = check(&o, operands, r, &pid, &e)) < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)o.plan.log);
    interrupt_catch();
    r = take_core(&o, pid, &e);
    interrupt_release();
    return r < 0 ? command_fail(r, &e) : 0;
}

static const struct command *const PARTS[] = {&CMD_CORE_INSTALL, &CMD_CORE_UNINSTALL, &CMD_CORE_STATUS, &CMD_CORE_SERVE,
                                              NULL};

const struct command CMD_CORE = {
    .name = "core",
    .args = "PID [--out FILE | --to URL]",
    .summary = "take a core of a running process, without ending it; or of those that crash",
    .text =
        "The core has the registers of all threads and the memory, as the kernel would write them if the process died "
        "of a signal; gdb reads it. But the process runs on, even if salvage is killed. It is stopped while its memory "
        "is copied, for --at-most at most, so that the core is consistent and the process can't grow meanwhile; with "
        "--quick only for some milliseconds. Memory that was never touched is not read, and so not allocated. Signals "
        "that arrive meanwhile are delivered later; some system calls fail with EINTR, as under a debugger.\n\n"
        "Needs the capability SYS_PTRACE, or the same user if kernel.yama.ptrace_scope is 0. Not possible while a "
        "debugger traces the process.\n\n"
        "A core contains everything in the process's memory, also keys and passwords.\n\n"
        "Cores of processes that crash: salvage core install.",
    .examples = "salvage core 7\n"
                "    core.7 in the working folder\n"
                "salvage core 7 --to s3://evidence/prod\n"
                "    to S3, without a disk\n"
                "salvage core 7 --quick --out - | zstd >core.zst\n"
                "    stops the process only for a moment\n"
                "gdb /proc/7/exe core.7\n"
                "    look into it\n",
    .options = OPTIONS,
    .parts = PARTS,
    .run = run,
};
