/* SPDX-License-Identifier: Apache-2.0
 *
 * The key of a claim that no file has, and a few tries.
 */
#include "ship/preflight.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/retry.h"
#include "ship/describe.h"

char *preflight_key(const struct preflight *p, const char *name)
{
    static const struct origin unknown;
    static const struct facts none;
    struct claim c = {.id = "0000000000000000",
                      .kind = kind_of_name(name),
                      .name = strdup(name),
                      .cause = strdup("check"),
                      .cause_given = true,
                      .time_ns = clock_wall_ns()};
    char *key = NULL;

    if (c.name && c.cause)
        key = describe_key(p->plan->template,
                           &(struct described){&c, &unknown, p->who, p->facts ? p->facts : &none, &p->plan->codec});
    claim_done(&c);
    return key;
}

static int try_once(const struct plan *plan, const char *key, struct sink **sink, struct err *e)
{
    int r = *sink ? 0 : sink_open(&plan->sink, sink, e);

    return r < 0 ? r : (*sink)->ops->probe(*sink, key, e);
}

int preflight_run(const struct preflight *p, struct sink **sink, struct err *e)
{
    CLEANUP_FREE char *key = preflight_key(p, "salvage-check");
    const struct retry_policy policy = {
        .soon = {500, 4000}, .give_up_ms = p->patience_ms, .tries_most = p->patience_ms == 0 ? 1 : 0};
    struct retry_state retry = {.since_ms = clock_mono_ms()};
    int r;

    assert(p->plan && p->who && sink);
    if (!key)
        return err_set(e, -ENOMEM, "out of memory");
    for (;;) {
        struct retry_decision d;

        *e = (struct err){0};
        r = try_once(p->plan, key, sink, e);
        if (r == 0)
            return r;
        d = retry_decide(&retry, &policy, r, e->retry_after_ms, clock_mono_ms());
        if (d.verdict != RETRY_WAIT)
            return r;
        clock_sleep_ms(d.delay_ms);
    }
}
