/* SPDX-License-Identifier: Apache-2.0
 *
 * The program: one table of commands, picked by the first argument.
 */
#include <signal.h>
#include <stdio.h>

#include "base/text.h"
#include "cmd/commands.h"

const struct command *const COMMANDS[] = {
    &CMD_WATCH, &CMD_SHIP, &CMD_LS, &CMD_GET, &CMD_HELP, &CMD_DOCS, &CMD_WORKER, NULL,
};

static int run_command(const struct command *c, int argc, char **argv)
{
    if (command_wants_help(c, argc, argv))
        return 0;
    return c->run(argc, argv);
}

int main(int argc, char **argv)
{
    /* A reader that went away is an error of write(2), told like any other. */
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2 || text_eq(argv[1], "--help") || text_eq(argv[1], "-h"))
        return CMD_HELP.run(1, argv);
    if (text_eq(argv[1], "--version")) {
        puts("salvage " SALVAGE_VERSION);
        return 0;
    }
    for (const struct command *const *c = COMMANDS; *c; c++)
        if (text_eq((*c)->name, argv[1]))
            return run_command(*c, argc - 1, argv + 1);
    return command_error(-FAULT_USAGE, "no command '%s': see 'salvage help'", argv[1]);
}
