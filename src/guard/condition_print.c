/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditions as text: as they are written, and with the values that made them true.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "guard/condition.h"

/* Text that is appended to; what doesn't fit is cut. */
struct line {
    char *out;
    size_t size, used;
};

static void add(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct line *l, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(l->out + l->used, l->size - l->used, format, args);
    va_end(args);
    if (length > 0)
        l->used += (size_t)length < l->size - l->used ? (size_t)length : l->size - l->used - 1;
}

/* "90%", "92.5%", "0.05%" of hundredths. */
static void add_share(struct line *l, uint64_t share)
{
    unsigned rest = (unsigned)(share % 100);

    add(l, "%" PRIu64, share / 100);
    if (rest % 10 != 0)
        add(l, ".%02u", rest);
    else if (rest != 0)
        add(l, ".%u", rest / 10);
    add(l, "%%");
}

/* With the largest unit that tells it exactly. */
static void add_unit(struct line *l, uint64_t value, const uint64_t *factors, const char *const *names)
{
    unsigned i = 0;

    while (value % factors[i] != 0)
        i++;
    add(l, "%" PRIu64 "%s", value / factors[i], names[i]);
}

static void add_size(struct line *l, uint64_t bytes)
{
    static const uint64_t factors[] = {1ull << 40, 1 << 30, 1 << 20, 1 << 10, 1};
    static const char *const names[] = {"T", "G", "M", "K", "B"};

    add_unit(l, bytes, factors, names);
}

static void add_time(struct line *l, uint64_t ms)
{
    static const uint64_t factors[] = {3600000, 60000, 1000, 1};
    static const char *const names[] = {"h", "m", "s", "ms"};

    add_unit(l, ms, factors, names);
}

static const char *pressure_name(int64_t level)
{
    static const char *const names[] = {"none", "low", "medium", "critical"};

    return level >= 0 && level < (int64_t)ARRAY_SIZE(names) ? names[level] : "?";
}

static const struct {
    uint64_t event;
    const char *name;
} EVENTS[] = {
    {READING_HIGH, "high"},
    {READING_MAX, "max"},
    {READING_OOM, "oom"},
    {READING_OOM_KILL, "oom-kill"},
    {READING_OOM_GROUP_KILL, "oom-group-kill"},
};

static void add_events(struct line *l, uint64_t events)
{
    const char *between = "";

    for (size_t i = 0; i < ARRAY_SIZE(EVENTS); i++)
        if (events & EVENTS[i].event) {
            add(l, "%s%s", between, EVENTS[i].name);
            between = "+";
        }
}

static void print_term(struct line *l, const struct condition_term *t)
{
    switch (t->what) {
    case CONDITION_MEMORY:
        add(l, "memory>=");
        add_share(l, t->value);
        break;
    case CONDITION_NEED:
        add(l, "need>=");
        add_share(l, t->value);
        break;
    case CONDITION_SIZE:
        add(l, "memory>=");
        add_size(l, t->value);
        break;
    case CONDITION_GROWTH:
        add(l, "growth>=");
        add_size(l, t->value);
        add(l, "/s");
        break;
    case CONDITION_OOM_IN:
        add(l, "oom-in<=");
        add_time(l, t->value);
        break;
    case CONDITION_OOM_IN_DUMP:
        add(l, "oom-in<=dump");
        break;
    case CONDITION_PRESSURE:
        add(l, "pressure=%s", pressure_name((int64_t)t->value));
        break;
    case CONDITION_PSI_SOME:
    case CONDITION_PSI_FULL:
        add(l, "psi.%s>=", t->what == CONDITION_PSI_SOME ? "some" : "full");
        add_share(l, t->value);
        add(l, "/");
        add_time(l, t->window_ms);
        break;
    case CONDITION_HEAP:
    case CONDITION_GC:
    case CONDITION_THREADS:
        add(l, t->what == CONDITION_HEAP ? "heap>=" : t->what == CONDITION_GC ? "gc>=" : "threads>=");
        add_share(l, t->value);
        break;
    case CONDITION_EVENT:
        add(l, "event:");
        add_events(l, t->value);
        break;
    }
}

const char *condition_print(const struct condition *c, char *out)
{
    struct line l = {.out = out, .size = CONDITION_TEXT_MAX};

    out[0] = '\0';
    for (unsigned i = 0; i < c->count; i++) {
        add(&l, "%s", i > 0 ? "," : "");
        print_term(&l, &c->term[i]);
    }
    return out;
}

/* "0.7 s", "42 s", "12:03". */
static void add_seconds(struct line *l, int64_t ms)
{
    char text[TEXT_DURATION_MAX];

    if (ms < 10000)
        add(l, "%u.%u s", (unsigned)ms / 1000, (unsigned)ms / 100 % 10);
    else if (ms < 120000)
        add(l, "%u s", (unsigned)ms / 1000);
    else
        add(l, "%s", text_format_duration((uint64_t)ms / 1000, text));
}

static void explain_memory(struct line *l, const struct reading *r)
{
    struct reading_value share = reading_memory_share(r);
    char size[TEXT_SIZE_MAX];

    if (share.known)
        add(l, "memory %" PRId64 "%% of %s", share.value / 100, text_format_size((uint64_t)r->limit.value, size));
    else if (r->own.known)
        add(l, "memory %s, %s", text_format_size((uint64_t)r->own.value, size), reading_why(&share));
    else
        add(l, "memory unknown");
}

static void explain_growth(struct line *l, const struct reading *r)
{
    struct reading_value oom_in = reading_oom_in(r);
    char size[TEXT_SIZE_MAX];

    if (!r->growth.known)
        return;
    if (r->growth.value > 0)
        add(l, ", growing %s/s", text_format_size((uint64_t)r->growth.value, size));
    else if (r->growth.value < 0)
        add(l, ", shrinking %s/s", text_format_size(0 - (uint64_t)r->growth.value, size));
    else
        add(l, ", not growing");
    if (!oom_in.known || oom_in.value == INT64_MAX)
        return;
    add(l, ", limit in ");
    add_seconds(l, oom_in.value);
}

static void explain_share(struct line *l, const char *name, const struct reading_value *v)
{
    if (v->known && v->value >= 0)
        add(l, ", %s %" PRId64 "%%", name, v->value / 100);
}

static void explain_psi(struct line *l, const struct condition_term *t, const struct reading *r)
{
    for (unsigned i = 0; i < READING_PSI_MAX && r->psi[i].window_ms > 0; i++) {
        bool some = t->what == CONDITION_PSI_SOME;
        const struct reading_value *share = some ? &r->psi[i].some : &r->psi[i].full;

        if (r->psi[i].window_ms != t->window_ms || !share->known)
            continue;
        explain_share(l, some ? "some task stalled" : "all tasks stalled", share);
        add(l, " of ");
        add_time(l, t->window_ms);
        return;
    }
}

static void explain_term(struct line *l, const struct condition_term *t, const struct reading *r)
{
    char size[TEXT_SIZE_MAX];

    switch (t->what) {
    case CONDITION_NEED:
        explain_share(l, "needed", &r->need);
        break;
    case CONDITION_SIZE:
        if (r->own.known)
            add(l, ", its own %s", text_format_size((uint64_t)r->own.value, size));
        break;
    case CONDITION_OOM_IN_DUMP:
        if (!r->dump_ms.known)
            break;
        add(l, ", a dump takes ");
        add_seconds(l, r->dump_ms.value);
        break;
    case CONDITION_PRESSURE:
        if (r->pressure.known)
            add(l, ", pressure %s", pressure_name(r->pressure.value));
        break;
    case CONDITION_PSI_SOME:
    case CONDITION_PSI_FULL:
        explain_psi(l, t, r);
        break;
    case CONDITION_HEAP:
        explain_share(l, "heap after GC", &r->heap);
        break;
    case CONDITION_GC:
        explain_share(l, "time in GC", &r->gc);
        break;
    case CONDITION_THREADS:
        explain_share(l, "threads", &r->threads);
        break;
    case CONDITION_EVENT:
        if (!r->events.known || r->events.value == 0)
            break;
        add(l, ", event ");
        add_events(l, (uint64_t)r->events.value);
        break;
    case CONDITION_MEMORY:
    case CONDITION_GROWTH:
    case CONDITION_OOM_IN:
        break;
    }
}

const char *condition_explain(const struct condition *c, const struct reading *r, char *out)
{
    struct line l = {.out = out, .size = CONDITION_EXPLAIN_MAX};
    uint64_t told = 0;

    out[0] = '\0';
    explain_memory(&l, r);
    explain_growth(&l, r);
    for (unsigned i = 0; i < c->count; i++) {
        bool psi = c->term[i].what == CONDITION_PSI_SOME || c->term[i].what == CONDITION_PSI_FULL;

        if (!psi && told & 1ull << c->term[i].what)
            continue;
        told |= 1ull << c->term[i].what;
        explain_term(&l, &c->term[i], r);
    }
    return out;
}
