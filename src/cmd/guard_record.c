/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage guard-record: the record of one kill into the store. Not for people: the loop of a guard starts it
 * (guard/kill_recorder.c), and has put the record into a file in memory.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/guard.h"
#include "guard/kill_recorder.h"
#include "ship/shipping.h"

static const char NAME[] = "oom-kill.json";

/* argv: guard-record FD TARGET ID TIME PID, the names, then guard's own. */
enum { ARG_FD = 1, ARG_TARGET, ARG_ID, ARG_TIME, ARG_PID, ARG_NAMES, ARG_REST = ARG_NAMES + KILL_RECORDER_NAMES };

static int ship(char **argv, char *host, const struct guard_options *o, struct err *e)
{
    static const struct facts nothing;
    const struct whoami names = {.namespace = argv[ARG_NAMES],
                                 .pod = argv[ARG_NAMES + 1],
                                 .pod_uid = argv[ARG_NAMES + 2],
                                 .container = argv[ARG_NAMES + 3],
                                 .image = argv[ARG_NAMES + 4],
                                 .host = *host ? host : NULL};
    CLEANUP(plan_done) struct plan plan = {0};
    CLEANUP(whoami_done) struct whoami self = {0}, who = {0};
    CLEANUP(facts_done) struct facts facts = {0};
    struct shipping_case its_case = {0};
    /* No state: a claim of what is in memory would only be in the way of the case's dump, which has the same id. */
    struct shipping s = {.plan = &plan, .facts = &facts, .logs = true, .its_case = &its_case};
    uint64_t fd, time_ns, pid; /* as the kernel has it: not the process's own, so not in the manifest */
    int r;

    if (text_parse_uint(argv[ARG_FD], INT_MAX, &fd) < 0 || text_parse_uint(argv[ARG_TIME], INT64_MAX, &time_ns) < 0 ||
        text_parse_uint(argv[ARG_PID], INT_MAX, &pid) < 0 || strlen(argv[ARG_ID]) >= sizeof(its_case.id))
        return err_set(e, -FAULT_USAGE, "guard-record: guard starts it");
    if ((r = plan_init(&plan, &o->plan, e)) < 0)
        return r;
    plan.sink.notice = NULL; /* the guard has it said, once (ship/storecheck.h) */
    if ((r = whoami_get("/", &self, e)) < 0)
        return r;
    if (whoami_for(&self, &names, &who) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    s.who = names.host ? &who : &self;
    if (names.host)
        s.facts = &nothing;
    s.cause = *argv[ARG_ID] ? "pressure" : "oom-kill";
    its_case.time_ns = (int64_t)time_ns;
    if (*argv[ARG_ID])
        memcpy(its_case.id, argv[ARG_ID], strlen(argv[ARG_ID]) + 1);
    else if (identity_of_stream(self.machine, (pid_t)pid, 0, its_case.time_ns, its_case.id) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r = shipping_held(&s, (int)fd, -1, NAME, NAME, e);
    sink_close(s.sink);
    return r;
}

static int run(int argc, char **argv)
{
    struct guard_options o = {0};
    char *host;
    struct err e = {0};
    int r;

    if (argc < ARG_REST)
        return command_error(-FAULT_USAGE, "guard-record: guard starts it");
    host = argv[ARG_REST - 1];
    argv[ARG_REST - 1] = argv[0];
    if ((r = guard_parse(argc - ARG_REST + 1, argv + ARG_REST - 1, &o, &e)) < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)o.plan.log);
    if ((r = ship(argv, host, &o, &e)) == 0)
        return 0;
    log_event(EVENT_GUARD_MISSED, LOG_STR("target", argv[ARG_TARGET]), LOG_STR("piece", NAME),
              LOG_STR("fault", fault_find(r)->name), LOG_STR("error", e.msg));
    return fault_find(r)->exit_code;
}

const struct command CMD_GUARD_RECORD = {
    .name = "guard-record",
    .args = "",
    .summary = "the record of a kill, of a guard",
    .hidden = true,
    .run = run,
};
