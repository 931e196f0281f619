/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage jvm props: a JVM's system properties.
 */
#include <stddef.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/jvm.h"
#include "hotspot/diagnostics.h"

struct props_options {
    struct jvm_options jvm;
};

static const struct opt PROPS_OPTIONS[] = {
    JVM_OPTION_TIMEOUT(struct props_options, jvm),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static int run(int argc, char **argv)
{
    struct props_options o = {0};
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int r = opt_parse(PROPS_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e);

    if (r > 1)
        r = err_set(&e, -FAULT_USAGE, "jvm props: one process at a time");
    if (r < 0 || (r = jvm_target("jvm props", operands[0], &j, &e)) < 0 ||
        (r = jvm_print(&j, &o.jvm, DIAGNOSTIC_PROPERTIES, &e)) < 0)
        return command_fail(r, &e);
    return 0;
}

const struct command CMD_JVM_PROPS = {
    .name = "jvm props",
    .args = "[PID]",
    .summary = "print the system properties of a JVM",
    .text = "In the format of java.util.Properties. They may contain passwords: check before you share them.",
    .examples = "salvage jvm props 7 | grep java.version\n"
                "    one of them\n",
    .options = PROPS_OPTIONS,
    .run = run,
};
