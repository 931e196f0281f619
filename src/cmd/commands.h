/* SPDX-License-Identifier: Apache-2.0
 *
 * The entries of all commands, one file each. main.c has the table.
 */
#pragma once

#include "base/command.h"

extern const struct command CMD_WATCH, CMD_SHIP, CMD_LS, CMD_GET, CMD_HELP, CMD_DOCS, CMD_WORKER, CMD_RUN, CMD_SH,
    CMD_SLEEP, CMD_GUARD, CMD_GUARD_CASE, CMD_GUARD_RECORD, CMD_GUARD_RESTORE, CMD_GUARD_ATTACH, CMD_JVM, CMD_OOM,
    CMD_CORE, CMD_SERVE, CMD_INSPECT, CMD_PRUNE, CMD_RM, CMD_PIN, CMD_UNPIN, CMD_USAGE, CMD_NOTIFIER,
    CMD_GUARD_NOTIFIER, CMD_CHECK, CMD_ARMER, CMD_RUN_ARM, CMD_INSTALL, CMD_COMPLETION, CMD_VERSION, CMD_WATCH_CHECK,
    CMD_GUARD_CHECK, CMD_INSPECT_CHILD, CMD_DIGEST_CHILD, CMD_CORE_HANDLER, CMD_NODE, CMD_NODE_PODS, CMD_NODE_REQUESTS,
    CMD_NODE_ARM, CMD_NODE_CAPTURE;

/* The subcommands of "jvm". */
extern const struct command CMD_JVM_PS, CMD_JVM_STAT, CMD_JVM_THREADS, CMD_JVM_HISTOGRAM, CMD_JVM_DUMP, CMD_JVM_PRESTOP,
    CMD_JVM_ARM, CMD_JVM_FLAGS, CMD_JVM_SET, CMD_JVM_PROPS, CMD_JVM_CMD;

/* The subcommands of "core". */
extern const struct command CMD_CORE_INSTALL, CMD_CORE_UNINSTALL, CMD_CORE_STATUS, CMD_CORE_SERVE;

/* All of them, in the order of the help; ends with NULL. */
extern const struct command *const COMMANDS[];
