/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a condition holds. One false term makes the condition false, even if other terms are unknown.
 */
#include <assert.h>
#include <stddef.h>

#include "guard/condition.h"

enum { POINTS = 5 * READING_WHOLE / 100 };

/* --- the value of a term --------------------------------------------------------------------------------------------
 */

static struct reading_value psi_of(const struct condition_term *t, const struct reading *r)
{
    for (unsigned i = 0; i < READING_PSI_MAX && r->psi[i].window_ms > 0; i++)
        if (r->psi[i].window_ms == t->window_ms)
            return t->what == CONDITION_PSI_SOME ? r->psi[i].some : r->psi[i].full;
    return reading_unknown(NULL);
}

struct reading_value condition_value(const struct condition_term *t, const struct reading *r)
{
    switch (t->what) {
    case CONDITION_MEMORY:
        return reading_memory_share(r);
    case CONDITION_NEED:
        return r->need;
    case CONDITION_SIZE:
        return r->own;
    case CONDITION_GROWTH:
        return r->growth;
    case CONDITION_OOM_IN:
    case CONDITION_OOM_IN_DUMP:
        return reading_oom_in(r);
    case CONDITION_PRESSURE:
        return r->pressure;
    case CONDITION_PSI_SOME:
    case CONDITION_PSI_FULL:
        return psi_of(t, r);
    case CONDITION_HEAP:
        return r->heap;
    case CONDITION_GC:
        return r->gc;
    case CONDITION_THREADS:
        return r->threads;
    case CONDITION_EVENT:
        return r->events;
    }
    return reading_unknown(NULL);
}

/* --- comparing ------------------------------------------------------------------------------------------------------
 */

/* A held term of "at least" becomes false below this. */
static int64_t release_below(const struct condition_term *t)
{
    switch (t->what) {
    case CONDITION_MEMORY:
    case CONDITION_NEED:
    case CONDITION_THREADS:
    case CONDITION_HEAP: /* below 10 % half is the margin */
        return (int64_t)(t->value > 2 * (uint64_t)POINTS ? t->value - POINTS : t->value / 2);
    case CONDITION_SIZE:
        return (int64_t)(t->value - t->value / 20);
    case CONDITION_GROWTH:
    case CONDITION_PSI_SOME:
    case CONDITION_PSI_FULL:
    case CONDITION_GC:
        return (int64_t)(t->value - t->value / 2); /* never 0 */
    case CONDITION_OOM_IN:
    case CONDITION_OOM_IN_DUMP:
    case CONDITION_PRESSURE:
    case CONDITION_EVENT:
        break;
    }
    return (int64_t)t->value;
}

/* A limit that is never reached is not soon, however long a dump takes. */
static bool is_soon(int64_t oom_in_ms, int64_t within_ms, bool held)
{
    if (oom_in_ms == INT64_MAX)
        return false;
    return (held ? oom_in_ms / 2 : oom_in_ms) <= within_ms;
}

static bool holds(const struct condition_term *t, int64_t value, int64_t dump_ms, bool held)
{
    switch (t->what) {
    case CONDITION_OOM_IN_DUMP:
        return is_soon(value, dump_ms, held);
    case CONDITION_OOM_IN:
        return is_soon(value, (int64_t)t->value, held);
    case CONDITION_EVENT:
        return ((uint64_t)value & t->value) != 0;
    default:
        return value >= (held ? release_below(t) : (int64_t)t->value);
    }
}

enum condition_verdict condition_evaluate_term(const struct condition_term *t, const struct reading *r, bool held,
                                               const char **ret_why)
{
    struct reading_value value = condition_value(t, r);

    if (value.known && t->what == CONDITION_OOM_IN_DUMP && value.value != INT64_MAX && !r->dump_ms.known)
        value = r->dump_ms;
    if (!value.known) {
        if (ret_why)
            *ret_why = reading_why(&value);
        return CONDITION_UNKNOWN;
    }
    return holds(t, value.value, r->dump_ms.value, held) ? CONDITION_TRUE : CONDITION_FALSE;
}

enum condition_verdict condition_evaluate(const struct condition *c, const struct reading *r, bool held,
                                          const char **ret_why)
{
    enum condition_verdict verdict = CONDITION_TRUE;
    const char *first = NULL;

    assert(c->count > 0);
    for (unsigned i = 0; i < c->count; i++) {
        const char *why = NULL;
        enum condition_verdict one = condition_evaluate_term(&c->term[i], r, held, &why);

        if (one == CONDITION_FALSE)
            return CONDITION_FALSE;
        if (one == CONDITION_UNKNOWN) {
            verdict = CONDITION_UNKNOWN;
            first = first ? first : why;
        }
    }
    if (verdict == CONDITION_UNKNOWN && ret_why)
        *ret_why = first;
    return verdict;
}
