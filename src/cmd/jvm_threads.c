/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage jvm threads: thread dumps.
 */
#include <stddef.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/jvm.h"
#include "hotspot/diagnostics.h"

struct threads_options {
    struct jvm_options jvm;
    bool locks;
    uint64_t repeat, every_ms;
};

static const struct opt THREADS_OPTIONS[] = {
    {OPT_FLAG, 'l', "locks", NULL, NULL, offsetof(struct threads_options, locks),
     "also the java.util.concurrent locks that each thread owns"},
    {OPT_UINT, 0, "repeat", "N", "1", offsetof(struct threads_options, repeat), "number of dumps"},
    {OPT_DURATION, 0, "every", "DURATION", "5s", offsetof(struct threads_options, every_ms), "interval between dumps"},
    JVM_OPTION_TIMEOUT(struct threads_options, jvm),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* The first dump, then one at each multiple of the interval: a slow dump does not shift the later ones. */
static int print(const struct jvm *j, const struct threads_options *o, struct err *e)
{
    uint64_t begun_ms = clock_mono_ms();

    for (uint64_t i = 0; i < o->repeat; i++) {
        uint64_t now = clock_mono_ms(), due = begun_ms + i * o->every_ms;
        int r;

        if (now < due)
            clock_sleep_ms(due - now);
        if ((r = jvm_print(j, &o->jvm, o->locks ? DIAGNOSTIC_THREADS_LOCKS : DIAGNOSTIC_THREADS, e)) < 0)
            return r;
    }
    return 0;
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
    if (r < 0 || (r = jvm_target("jvm threads", operands[0], &j, &e)) < 0 || (r = print(&j, &o, &e)) < 0)
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
                "    three dumps, to see which threads make progress\n",
    .options = THREADS_OPTIONS,
    .run = run,
};
