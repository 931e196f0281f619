/* SPDX-License-Identifier: Apache-2.0
 *
 * Strings in a fixed order; "" stands for NULL.
 */
#include "guard/record_request.h"

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

void record_request_encode(const struct record_request *r, struct record_request_argv *ret)
{
    const struct whoami *who = &r->who;
    const char *const items[RECORD_REQUEST_ARGS] = {
        "salvage", "guard-record", ret->json, ret->counters, ret->notices,   r->target,  r->id,    ret->time,
        ret->pid,  who->namespace, who->pod,  who->pod_uid,  who->container, who->image, who->host};

    assert(r->json >= 0 && r->target && r->id && strlen(r->id) < IDENTITY_MAX);
    for (unsigned i = 0; i < RECORD_REQUEST_ARGS; i++)
        ret->item[i] = or_empty(items[i]);
    snprintf(ret->json, sizeof(ret->json), "%d", r->json);
    snprintf(ret->counters, sizeof(ret->counters), "%d", r->counters < 0 ? 0 : r->counters);
    snprintf(ret->notices, sizeof(ret->notices), "%d", r->notices < 0 ? 0 : r->notices);
    snprintf(ret->time, sizeof(ret->time), "%" PRId64, r->time_ns);
    snprintf(ret->pid, sizeof(ret->pid), "%" PRIu64, r->pid);
}

int record_request_decode(int argc, char **argv, struct record_request *ret, struct err *e)
{
    enum { JSON = 1, COUNTERS, NOTICES, TARGET, ID, TIME, PID, NAMESPACE, POD, POD_UID, CONTAINER, IMAGE, HOST, END };
    uint64_t json, counters, notices, time_ns, pid;

    _Static_assert(END == RECORD_REQUEST_ARGS - 1, "both ends have the same order");
    if (argc < END || text_parse_uint(argv[JSON], INT_MAX, &json) < 0 ||
        text_parse_uint(argv[COUNTERS], INT_MAX, &counters) < 0 ||
        text_parse_uint(argv[NOTICES], INT_MAX, &notices) < 0 || text_parse_uint(argv[TIME], INT64_MAX, &time_ns) < 0 ||
        text_parse_uint(argv[PID], INT_MAX, &pid) < 0 || strlen(argv[ID]) >= IDENTITY_MAX)
        return err_set(e, -FAULT_USAGE, "guard-record: guard starts it");
    *ret = (struct record_request){.json = (int)json,
                                   .counters = counters ? (int)counters : -1,
                                   .notices = notices ? (int)notices : -1,
                                   .target = argv[TARGET],
                                   .id = argv[ID],
                                   .time_ns = (int64_t)time_ns,
                                   .pid = pid,
                                   .who = {.namespace = argv[NAMESPACE],
                                           .pod = argv[POD],
                                           .pod_uid = argv[POD_UID],
                                           .container = argv[CONTAINER],
                                           .image = argv[IMAGE],
                                           .host = *argv[HOST] ? argv[HOST] : NULL}};
    return END;
}
