/* SPDX-License-Identifier: Apache-2.0
 *
 * Strings in a fixed order; "" stands for NULL.
 */
#include "guard/case_request.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"

static char *or_empty(const char *text)
{
    return text ? (char *)text : (char *)"";
}

static char *or_null(char *text)
{
    return *text ? text : NULL;
}

void case_request_encode(const struct case_request *r, struct case_request_argv *ret)
{
    const struct whoami nobody = {0}, *last = r->last->host ? r->last : &nobody;
    const char *const items[CASE_REQUEST_ARGS] = {
        "salvage",    "guard-case", ret->pid,        r->target,   r->why,          r->id,
        ret->time,    r->about,     ret->speed,      ret->cgroup, ret->counters,   ret->bandwidth,
        ret->notices, ret->slot,    last->namespace, last->pod,   last->container, last->host};

    assert(r->target && r->why && r->id && strlen(r->id) < IDENTITY_MAX && r->cgroup >= 0);
    for (unsigned i = 0; i < CASE_REQUEST_ARGS; i++)
        ret->item[i] = or_empty(items[i]);
    snprintf(ret->pid, sizeof(ret->pid), "%d", (int)r->pid);
    snprintf(ret->time, sizeof(ret->time), "%" PRId64, r->time_ns);
    snprintf(ret->speed, sizeof(ret->speed), "%d", r->speed < 0 ? 0 : r->speed);
    snprintf(ret->cgroup, sizeof(ret->cgroup), "%d", r->cgroup);
    snprintf(ret->counters, sizeof(ret->counters), "%d", r->counters < 0 ? 0 : r->counters);
    snprintf(ret->bandwidth, sizeof(ret->bandwidth), "%d", r->bandwidth < 0 ? 0 : r->bandwidth);
    snprintf(ret->notices, sizeof(ret->notices), "%d", r->notices < 0 ? 0 : r->notices);
    snprintf(ret->slot, sizeof(ret->slot), "%d", r->slot < 0 ? 0 : r->slot);
}

int case_request_decode(int argc, char **argv, struct case_request *ret, struct whoami *ret_last, struct err *e)
{
    enum {
        PID = 1,
        TARGET,
        WHY,
        ID,
        TIME,
        ABOUT,
        SPEED,
        CGROUP,
        COUNTERS,
        BANDWIDTH,
        NOTICES,
        SLOT,
        NAMESPACE,
        POD,
        CONTAINER,
        HOST,
        END
    };
    uint64_t pid, time_ns, speed, cgroup, counters, bandwidth, notices, slot;

    _Static_assert(END == CASE_REQUEST_ARGS - 1, "both ends have the same order");
    if (argc < END || text_parse_uint(argv[PID], INT_MAX, &pid) < 0 ||
        text_parse_uint(argv[TIME], INT64_MAX, &time_ns) < 0 || text_parse_uint(argv[SPEED], INT_MAX, &speed) < 0 ||
        text_parse_uint(argv[CGROUP], INT_MAX, &cgroup) < 0 ||
        text_parse_uint(argv[COUNTERS], INT_MAX, &counters) < 0 ||
        text_parse_uint(argv[BANDWIDTH], INT_MAX, &bandwidth) < 0 ||
        text_parse_uint(argv[NOTICES], INT_MAX, &notices) < 0 || text_parse_uint(argv[SLOT], INT_MAX, &slot) < 0 ||
        strlen(argv[ID]) >= IDENTITY_MAX)
        return err_set(e, -FAULT_USAGE, "guard-case: guard starts it");
    *ret_last = (struct whoami){.namespace = or_null(argv[NAMESPACE]),
                                .pod = or_null(argv[POD]),
                                .container = or_null(argv[CONTAINER]),
                                .host = or_null(argv[HOST])};
    *ret = (struct case_request){.pid = (pid_t)pid,
                                 .target = argv[TARGET],
                                 .why = argv[WHY],
                                 .id = argv[ID],
                                 .time_ns = (int64_t)time_ns,
                                 .about = argv[ABOUT],
                                 .speed = speed ? (int)speed : -1,
                                 .cgroup = (int)cgroup,
                                 .counters = counters ? (int)counters : -1,
                                 .bandwidth = bandwidth ? (int)bandwidth : -1,
                                 .notices = notices ? (int)notices : -1,
                                 .slot = slot ? (int)slot : -1,
                                 .last = ret_last};
    return END;
}
