/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage guard-keep: puts back what a guard has lent or held. Not for people: guard starts it.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "guard/limit_restorer.h"

enum { ARG_FOLDER = 1, ARG_NAME, ARG_LOG, ARG_JOURNAL, ARGS };

static int run(int argc, char **argv)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    struct err e = {0};
    bool has_journal = argc == ARGS && text_eq(argv[ARG_JOURNAL], "locked");
    int r;

    if (argc != ARGS || !limit_restorer_is_name(argv[ARG_NAME]))
        return command_error(-FAULT_USAGE, "guard-keep: guard starts it");
    log_set_format(text_eq(argv[ARG_LOG], "json") ? LOG_JSON : LOG_TEXT);
    /* Whoever ends all of us means the guard: its end is ours. */
    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
        signal(signals[i], SIG_IGN);
    r = limit_restorer_run(argv[ARG_FOLDER], argv[ARG_NAME], STDIN_FILENO, has_journal ? LIMIT_RESTORER_JOURNAL : -1,
                           &e);
    if (r < 0)
        log_event(EVENT_GUARD_NOT_RESTORED, LOG_STR("error", e.msg));
    /* What is no journal does not become one: only other trouble is worth another try. */
    return r < 0 && r != -EBADMSG;
}

const struct command CMD_GUARD_KEEP = {
    .name = "guard-keep",
    .args = "",
    .summary = "puts back what a guard has changed",
    .hidden = true,
    .run = run,
};
