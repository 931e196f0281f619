/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage jvm flags: the options that a JVM runs with.
 */
#include <stddef.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/jvm.h"
#include "hotspot/diagnostics.h"

struct flags_options {
    struct jvm_options jvm;
    bool all;
};

static const struct opt FLAGS_OPTIONS[] = {
    {OPT_FLAG, 'a', "all", NULL, NULL, offsetof(struct flags_options, all),
     "also options that have their default value"},
    JVM_OPTION_TIMEOUT(struct flags_options, jvm),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static int run(int argc, char **argv)
{
    struct flags_options o = {0};
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int r = opt_parse(FLAGS_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e);

    if (r > 1)
        r = err_set(&e, -FAULT_USAGE, "jvm flags: one process at a time");
    if (r < 0 || (r = jvm_target("jvm flags", operands[0], &j, &e)) < 0 ||
        (r = jvm_print(&j, &o.jvm, o.all ? DIAGNOSTIC_FLAGS_ALL : DIAGNOSTIC_FLAGS, &e)) < 0)
        return command_fail(r, &e);
    return 0;
}

const struct command CMD_JVM_FLAGS = {
    .name = "jvm flags",
    .args = "[PID]",
    .summary = "print the -XX options of a JVM",
    .text = "All that differ from their default, whether set by the command line, the environment, the JVM itself, or "
            "a user at run time.",
    .examples = "salvage jvm flags 7\n"
                "    what differs from the defaults\n"
                "salvage jvm flags 7 --all | grep HeapDump\n"
                "    all of them, with the origin of each value\n",
    .options = FLAGS_OPTIONS,
    .run = run,
};
