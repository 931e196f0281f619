/* SPDX-License-Identifier: Apache-2.0
 *
 * A made-up claim for its key, and a few tries.
 */
#include "ship/preflight.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/retry.h"
#include "ship/describe.h"

char *preflight_key(const struct plan *plan, const struct whoami *who, const struct facts *facts, const char *name)
{
    static const struct origin unknown;
    const struct facts none = {0};
    struct claim c = {.id = "0000000000000000",
                      .kind = kind_of_name(name),
                      .name = strdup(name),
                      .cause = strdup("check"),
                      .cause_given = true,
                      .time_ns = clock_wall_ns()};
    char *key = NULL;

    if (c.name && c.cause)
        key = describe_key(plan->template, &(struct described){&c, &unknown, who, facts ? facts : &none, &plan->codec});
    claim_done(&c);
    return key;
}

static int try_once(const struct plan *plan, const char *key, struct sink **sink, struct err *e)
{
    int r = *sink ? 0 : sink_open(&plan->sink, sink, e);

    return r < 0 ? r : (*sink)->ops->probe(*sink, key, e);
}

int preflight(const struct plan *plan, const struct whoami *who, const struct facts *facts, uint64_t patience_ms,
              struct sink **sink, struct err *e)
{
    CLEANUP_FREE char *key = preflight_key(plan, who, facts, "salvage-check");
    const struct retry_policy policy = {.soon = {500, 4000}, .give_up_ms = patience_ms, .once = patience_ms == 0};
    struct retry_state retry = {.since_ms = clock_mono_ms()};
    int r;

    if (!key)
        return err_set(e, -ENOMEM, "out of memory");
    for (;;) {
        struct retry_decision d;

        *e = (struct err){0};
        r = try_once(plan, key, sink, e);
        if (r == 0)
            return r;
        d = retry_decide(&retry, &policy, r, e->retry_after_ms, clock_mono_ms());
        if (d.verdict != RETRY_WAIT)
            return r;
        clock_sleep_ms(d.delay_ms);
    }
}
