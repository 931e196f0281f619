/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage guard-record: ships the record of one kill (guard/record_shipping.h). Internal: guard starts it.
 */
#include "base/counters.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/guard.h"
#include "guard/record_shipping.h"

static int run(int argc, char **argv)
{
    struct guard_options o = {0};
    struct record_request request;
    struct err e = {0};
    int used = record_request_decode(argc, argv, &request, &e), r = used;

    if (r < 0 || (r = guard_parse_rest(argc, argv, used, &o, &e)) < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)o.plan.log);
    counters_forward(request.counters);
    if ((r = record_ship(&request, &o.plan, &e)) == 0)
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
