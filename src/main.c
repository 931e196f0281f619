/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands, picked by argv[0] (applets) or else by the first argument.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/rlimits.h"
#include "base/text.h"
#include "cmd/commands.h"

/* clang-format off */
const struct command *const COMMANDS[] = {
    &CMD_WATCH, &CMD_RUN,      &CMD_SHIP,    &CMD_LS,         &CMD_GET,          &CMD_INSPECT,       &CMD_JVM,
    &CMD_CORE,  &CMD_SERVE,    &CMD_PRUNE,   &CMD_RM,         &CMD_PIN,          &CMD_UNPIN,         &CMD_USAGE,
    &CMD_CHECK, &CMD_GUARD,    &CMD_NODE,    &CMD_OOM,        &CMD_INSTALL,      &CMD_SH,           &CMD_COMPLETION,
    &CMD_VERSION,
    &CMD_HELP,  &CMD_DOCS,     &CMD_WORKER,  &CMD_GUARD_CASE, &CMD_GUARD_RECORD, &CMD_GUARD_RESTORE, &CMD_GUARD_ATTACH,
    &CMD_ARMER, &CMD_NOTIFIER, &CMD_GUARD_NOTIFIER, &CMD_RUN_ARM, &CMD_SLEEP,      &CMD_WATCH_CHECK,  &CMD_GUARD_CHECK,   &CMD_INSPECT_CHILD,
    &CMD_DIGEST_CHILD, &CMD_CORE_HANDLER, &CMD_NODE_PODS, &CMD_NODE_REQUESTS, &CMD_NODE_ARM, &CMD_NODE_CAPTURE,
    NULL,
};
/* clang-format on */

/* "/bin/sh", and "-sh" for a login shell */
static const struct command *find_applet(const char *path)
{
    const char *name = text_base_name(path);
    const struct command *c = command_find(COMMANDS, *name == '-' ? name + 1 : name);

    return c && c->applet ? c : NULL;
}

static int run_command(const struct command *c, int argc, char **argv)
{
    if (c->applet) {
        if (argc == 2 && text_eq(argv[1], "--help"))
            return command_wants_help(c, argc, argv) ? 0 : 1;
        return c->run(argc, argv);
    }
#ifndef __SANITIZE_ADDRESS__ /* LeakSanitizer looks at the process from outside */
    /* The process may hold the store's credentials: no core dumps, and no ptrace by other processes of our uid. */
    prctl(PR_SET_DUMPABLE, 0);
#endif
    /* If a reader closes the pipe, write(2) fails with EPIPE, which is reported like other errors. */
    signal(SIGPIPE, SIG_IGN);
    rlimits_raise();
    if (!rlimits_suffice())
        return command_error(-EMFILE, "too few file descriptors: raise the limit (ulimit -n)");
    if (c->parts && argc > 1 && command_part(c, argv[1])) {
        c = command_part(c, argv[1]);
        argc--;
        argv++;
    }
    if (command_wants_help(c, argc, argv))
        return 0;
    return c->run(argc, argv);
}

int main(int argc, char **argv)
{
    const struct command *c = argc > 0 ? find_applet(argv[0]) : NULL;
    const char *near;

    if (c)
        return c->run(argc, argv);
    if (argc < 2 || text_eq(argv[1], "--help") || text_eq(argv[1], "-h"))
        return run_command(&CMD_HELP, 1, argv);
    if ((c = command_find(COMMANDS, argv[1])))
        return run_command(c, argc - 1, argv + 1);
    near = command_nearest(COMMANDS, 0, argv[1]);
    return near ? command_error(-FAULT_USAGE, "no command '%s': did you mean '%s'? (see 'salvage help')", argv[1], near)
                : command_error(-FAULT_USAGE, "no command '%s': see 'salvage help'", argv[1]);
}
