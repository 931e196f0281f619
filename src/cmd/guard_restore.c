/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage guard-restore: restores the limits that a guard changed (guard/limit_restorer.h). Internal: guard starts
 * it.
 */
#include "cmd/commands.h"
#include "guard/limit_restorer.h"

static int run(int argc, char **argv)
{
    struct limit_restorer_request request;
    struct err e = {0};
    int r = limit_restorer_decode(argc, argv, &request, &e);

    return r < 0 ? command_fail(r, &e) : limit_restorer_main(&request);
}

const struct command CMD_GUARD_RESTORE = {
    .name = "guard-restore",
    .args = "",
    .summary = "restores the limits that a guard changed",
    .hidden = true,
    .run = run,
};
