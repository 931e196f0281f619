/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage jvm threads: thread dumps.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/table.h"
#include "cmd/commands.h"
#include "cmd/inspect.h"
#include "cmd/jvm.h"
#include "hotspot/diagnostics.h"

enum { SUMMARY_BYTES_MAX = 256 * 1024 * 1024, SUMMARY_ROWS = 8 };

struct threads_options {
    struct jvm_options jvm;
    bool locks, summary;
    uint64_t repeat, every_ms;
};

static const struct opt THREADS_OPTIONS[] = {
    {OPT_FLAG, 'l', "locks", NULL, NULL, offsetof(struct threads_options, locks),
     "also the java.util.concurrent locks that each thread owns"},
    {OPT_FLAG, 0, "summary", NULL, NULL, offsetof(struct threads_options, summary),
     "instead of the dumps what `salvage inspect` says of them: deadlocks, who waits for whom, pools, CPU; of several "
     "dumps also which threads never moved"},
    {OPT_UINT, 0, "repeat", "N", "1", offsetof(struct threads_options, repeat), "number of dumps"},
    {OPT_DURATION, 0, "every", "DURATION", "5s", offsetof(struct threads_options, every_ms), "interval between dumps"},
    JVM_OPTION_TIMEOUT(struct threads_options, jvm),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* One dump: printed, or with --summary added to what is summed up at the end, with all locks. */
static int take(const struct jvm *j, const struct threads_options *o, struct buf *dumps, struct err *e)
{
    struct attach_wait wait = {.timeout_ms = o->jvm.timeout_ms, .most = SUMMARY_BYTES_MAX};

    if (!o->summary)
        return jvm_print(j, &o->jvm, o->locks ? DIAGNOSTIC_THREADS_LOCKS : DIAGNOSTIC_THREADS, e);
    return attach_ask(j, ATTACH_JCMD(DIAGNOSTIC_THREADS_LOCKS), &wait, dumps, e);
}

/* The first dump, then one at each multiple of the interval: a slow dump does not shift the later ones. */
static int take_all(const struct jvm *j, const struct threads_options *o, struct buf *dumps, struct err *e)
{
    uint64_t begun_ms = clock_mono_ms();

    for (uint64_t i = 0; i < o->repeat; i++) {
        uint64_t now = clock_mono_ms(), due = begun_ms + i * o->every_ms;
        int r;

        if (now < due)
            clock_sleep_ms(due - now);
        if ((r = take(j, o, dumps, e)) < 0)
            return r;
    }
    return 0;
}

static int print(const struct jvm *j, const struct threads_options *o, const char *name, struct err *e)
{
    CLEANUP(buf_done) struct buf dumps = {.ceiling = SUMMARY_BYTES_MAX};
    const struct inspect_view view = {.top = SUMMARY_ROWS, .bold = table_colours()};
    int r = take_all(j, o, &dumps, e);

    /* A JVM's answer is foreign text: it is parsed in the sandbox. */
    return r == 0 && o->summary && o->repeat > 0 ? inspect_text(&view, &dumps, name, e) : r;
}

static int run(int argc, char **argv)
{
    struct threads_options o = {0};
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int r = opt_parse(THREADS_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e);

    if (r > 1)
        r = err_set(&e, -FAULT_USAGE, "jvm threads: one process at a time");
    if (r < 0 || (r = jvm_target("jvm threads", operands[0], &j, &e)) < 0 ||
        (r = print(&j, &o, operands[0] ? operands[0] : "JVM", &e)) < 0)
        return command_fail(r, &e);
    return 0;
}

const struct command CMD_JVM_THREADS = {
    .name = "jvm threads",
    .args = "[PID]",
    .summary = "print a thread dump: the stack and state of every thread, and deadlocks",
    .text = "The same as the JDK's jstack. The application is stopped while the JVM walks the stacks, a few "
            "milliseconds. Several dumps some seconds apart distinguish a hang from slow progress.",
    .examples = "salvage jvm threads 7\n"
                "    one dump\n"
                "salvage jvm threads 7 --repeat 3 --every 5s\n"
                "    three dumps, to see which threads make progress\n"
                "salvage jvm threads 7 --summary --repeat 2 --every 1s\n"
                "    who waits for whom, who never moves, who uses the CPU\n",
    .options = THREADS_OPTIONS,
    .run = run,
};
