/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage guard-record: ships the record of one kill (guard/record_shipping.h). Internal: guard starts it.
 */
#include "base/counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/guard.h"
#include "guard/record_shipping.h"

static int run(int argc, char **argv)
{
    struct guard_options o = {0};
    struct record_request request;
    CLEANUP(notify_targets_done) struct notify_targets targets = {0};
    struct record_shipping how = {.options = &o.plan, .notify = &targets};
    struct err e = {0};
    int used = record_request_decode(argc, argv, &request, &e), r = used;

    if (r < 0 || (r = guard_parse_rest(argc, argv, used, &o, &e)) < 0 ||
        (r = notify_options_read(&o.notify, &targets, &e)) < 0)
        return command_fail(r, &e);
    how.public_url = o.notify.public_url;
    log_set_format((enum log_format)o.plan.log);
    counters_forward(request.counters);
    if ((r = record_ship(&request, &how, &e)) == 0)
        return 0;
    log_event(EVENT_GUARD_MISSED, LOG_STR("target", request.target), LOG_STR("piece", RECORD_NAME),
              LOG_STR("fault", fault_find(r)->name), LOG_STR("error", e.msg));
    return fault_find(r)->exit_code;
}

const struct command CMD_GUARD_RECORD = {
    .name = "guard-record",
    .args = "",
    .summary = "ships the record of a kill for a guard",
    .hidden = true,
    .run = run,
};
