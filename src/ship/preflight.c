/* SPDX-License-Identifier: Apache-2.0
 *
 * A claim that is none, for its key; and a few tries.
 */
#include "ship/preflight.h"

#include <errno.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ship/describe.h"

enum { FIRST_MS = 500, MOST_MS = 4000 };

char *preflight_key(const struct plan *plan, const struct whoami *who, const struct facts *facts, const char *name)
{
    const struct facts none = {0};
    struct claim c = {.id = "0000000000000000",
                      .kind = kind_of_name(name),
                      .name = strdup(name),
                      .cause = strdup("check"),
                      .cause_given = true,
                      .time_ns = clock_wall_ns()};
    char *key = NULL;

    if (c.name && c.cause)
        key = describe_key(plan->template, &c, &(struct origin){0}, who, facts ? facts : &none, &plan->codec);
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
    struct backoff backoff = {.first_ms = FIRST_MS, .most_ms = MOST_MS};
    uint64_t end_ms = clock_mono_ms() + patience_ms;
    int r;

    if (!key)
        return err_set(e, -ENOMEM, "out of memory");
    for (;;) {
        uint64_t delay_ms;

        *e = (struct err){0};
        r = try_once(plan, key, sink, e);
        if (r == 0 || fault_find(r)->retry != RETRY_SOON)
            return r;
        delay_ms = backoff_next(&backoff, e->retry_after_ms);
        if (clock_mono_ms() + delay_ms > end_ms)
            return r;
        clock_sleep_ms(delay_ms);
    }
}
