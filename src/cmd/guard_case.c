/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage guard-case: one case of a guard (guard/case_run.h). Internal: guard starts it.
 */
#include "base/counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/guard.h"
#include "guard/case_request.h"
#include "guard/case_run.h"

static int run(int argc, char **argv)
{
    struct guard_options o = {0};
    struct whoami last;
    struct case_request request;
    struct actions actions;
    struct case_config config = {.request = &request, .actions = &actions, .plan = &o.plan, .pass_env = &o.pass_env};
    CLEANUP(notify_targets_done) struct notify_targets targets = {0};
    struct err e = {0};
    int used = case_request_decode(argc, argv, &request, &last, &e), r = used;

    if (r < 0 || (r = guard_parse_rest(argc, argv, used, &o, &e)) < 0 || (r = guard_actions(&o, &actions, &e)) < 0 ||
        (r = notify_options_read(&o.notify, &targets, &e)) < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)o.plan.log);
    counters_forward(request.counters);
    config.dir = o.dir;
    config.notify = &targets;
    config.public_url = o.notify.public_url;
    for (unsigned i = 0; i < o.pids.count; i++)
        config.given = config.given || text_eq(o.pids.item[i], argv[1]);
    return case_run(&config);
}

const struct command CMD_GUARD_CASE = {
    .name = "guard-case",
    .args = "",
    .summary = "one case of a guard",
    .hidden = true,
    .run = run,
};
