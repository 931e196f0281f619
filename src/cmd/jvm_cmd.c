/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage jvm cmd: any diagnostic command of a JVM.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/jvm.h"

struct cmd_options {
    struct jvm_options jvm;
};

static const struct opt CMD_OPTIONS[] = {
    JVM_OPTION_TIMEOUT(struct cmd_options, jvm),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* The JVM splits the line at blanks itself; a word with blanks in it is quoted for it (diagnosticArgument.cpp knows '
 * and " and no escapes). */
static int add_word(struct buf *line, const char *word)
{
    const char *quote = !*word || strpbrk(word, " \t\n") ? (strchr(word, '"') ? "'" : "\"") : "";

    return buf_printf(line, "%s%s%s%s", line->size > 0 ? " " : "", quote, word, quote);
}

static int join(char *const *words, struct buf *ret, struct err *e)
{
    for (; *words; words++) {
        int r = add_word(ret, *words);

        if (r < 0)
            return err_set(e, r == -EMSGSIZE ? -FAULT_USAGE : r, "jvm cmd: the command is too long");
    }
    return 0;
}

static int run(int argc, char **argv)
{
    struct cmd_options o = {0};
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP_FREE char **operands = NULL;
    CLEANUP(buf_done) struct buf line = {.ceiling = ATTACH_REQUEST_MAX};
    struct err e = {0};
    int own = opt_leading(CMD_OPTIONS, argc, argv);
    int r = opt_parse(CMD_OPTIONS, &(struct opt_argv){own, argv}, &o, &operands, &e);
    const char *pid = own < argc && jvm_is_pid(argv[own]) ? argv[own] : NULL;
    int command = own + (pid != NULL);

    if (r < 0)
        return command_fail(r, &e);
    if (command >= argc)
        return command_error(
            -FAULT_USAGE, "jvm cmd: give a command: salvage jvm cmd [PID] COMMAND... (the command 'help' lists them)");
    if ((r = join(argv + command, &line, &e)) < 0 || (r = jvm_target("jvm cmd", pid, &j, &e)) < 0 ||
        (r = jvm_print(&j, &o.jvm, buf_text(&line), &e)) < 0)
        return command_fail(r, &e);
    return 0;
}

const struct command CMD_JVM_CMD = {
    .name = "jvm cmd",
    .args = "[OPTION...] [PID] COMMAND...",
    .summary = "run a diagnostic command of a JVM, like the JDK's jcmd",
    .text = "The commands depend on the JDK: the command help lists them, help COMMAND explains one. All words after "
            "PID (or after the options, if PID is left out) are passed to the JVM. Paths in a command are paths in the "
            "JVM's container.",
    .examples = "salvage jvm cmd 7 help\n"
                "    the commands of this JVM\n"
                "salvage jvm cmd 7 VM.native_memory summary\n"
                "    native memory, if the JVM runs with -XX:NativeMemoryTracking\n"
                "salvage jvm cmd 7 JFR.start duration=60s filename=/tmp/x.jfr\n"
                "    a flight recording\n",
    .options = CMD_OPTIONS,
    .wraps = true,
    .run = run,
};
