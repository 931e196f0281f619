/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes no claim on disk: the record is in memory, and has the same id as the case's dump, whose claim it would
 * block.
 */
#include "guard/record_shipping.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "guard/case_notices.h"
#include "ship/shipping.h"

int record_ship(const struct record_request *request, const struct record_shipping *how, struct err *e)
{
    static const struct facts no_facts;
    CLEANUP(plan_done) struct plan plan = {0};
    CLEANUP(whoami_done) struct whoami self = {0}, who = {0};
    CLEANUP(facts_done) struct facts facts = {0};
    CLEANUP(case_notices_done)
    struct case_notices notices = {
        .targets = how->notify, .public_url = how->public_url, .folder = request->notices, .plan = &plan};
    struct shipping_case kill_case = {.time_ns = request->time_ns};
    struct shipping s = {.plan = &plan,
                         .who = &self,
                         .facts = &facts,
                         .logs = true,
                         .stored = case_notices_stored,
                         .stored_ctx = &notices,
                         .shared_case = &kill_case,
                         .cause = *request->id ? "pressure" : "oom-kill"};
    int r;

    assert(request->json >= 0 && request->id);
    if ((r = plan_init(&plan, how->options, e)) < 0)
        return r;
    plan.sink.notice = NULL; /* guard-check logs it, once (ship/storecheck.h) */
    if ((r = whoami_get("/", &self, e)) < 0)
        return r;
    if (request->who.host) {
        if (whoami_for(&self, &request->who, &who) < 0)
            return err_set(e, -ENOMEM, "out of memory");
        s.who = &who;
        s.facts = &no_facts;
    }
    if (*request->id)
        snprintf(kill_case.id, sizeof(kill_case.id), "%s", request->id);
    else if (identity_of_stream(self.machine, (pid_t)request->pid, 0, kill_case.time_ns, kill_case.id) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r = shipping_open_file(&s, &(struct open_file){request->json, -1, RECORD_NAME, RECORD_NAME}, e);
    sink_close(s.sink);
    case_notices_put(&notices);
    return r;
}
