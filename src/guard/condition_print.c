/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditions as text: as written, and with the values that made them true.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "guard/condition.h"

/* A text to append to; text that does not fit is cut. */
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

/* With the largest unit that is exact. */
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

/* By enum condition_what. */
static const struct kind {
    const char *head; /* of the term as it is written */
    enum condition_unit unit;
    const char *label; /* of its value in an explanation; NULL: part of the memory text */
} KINDS[] = {
    [CONDITION_MEMORY] = {"memory>=", CONDITION_SHARE, NULL},
    [CONDITION_NEED] = {"need>=", CONDITION_SHARE, "needed"},
    [CONDITION_SIZE] = {"memory>=", CONDITION_BYTES, "its own"},
    [CONDITION_GROWTH] = {"growth>=", CONDITION_SPEED, NULL},
    [CONDITION_OOM_IN] = {"oom-in<=", CONDITION_TIME, NULL},
    [CONDITION_OOM_IN_DUMP] = {"oom-in<=", CONDITION_DUMP_TIME, "a dump takes"},
    [CONDITION_PRESSURE] = {"pressure=", CONDITION_LEVEL, "pressure"},
    [CONDITION_PSI_SOME] = {"psi.some>=", CONDITION_SHARE, "some task stalled"},
    [CONDITION_PSI_FULL] = {"psi.full>=", CONDITION_SHARE, "all tasks stalled"},
    [CONDITION_HEAP] = {"heap>=", CONDITION_SHARE, "heap after GC"},
    [CONDITION_GC] = {"gc>=", CONDITION_SHARE, "time in GC"},
    [CONDITION_THREADS] = {"threads>=", CONDITION_SHARE, "threads"},
    [CONDITION_EVENT] = {"event:", CONDITION_EVENTS, "event"},
};

enum condition_unit condition_unit(enum condition_what what)
{
    return KINDS[what].unit;
}

static void print_term(struct line *l, const struct condition_term *t)
{
    add(l, "%s", KINDS[t->what].head);
    switch (KINDS[t->what].unit) {
    case CONDITION_SHARE:
        add_share(l, t->value);
        break;
    case CONDITION_BYTES:
        add_size(l, t->value);
        break;
    case CONDITION_SPEED:
        add_size(l, t->value);
        add(l, "/s");
        break;
    case CONDITION_TIME:
        add_time(l, t->value);
        break;
    case CONDITION_DUMP_TIME:
        add(l, "dump");
        break;
    case CONDITION_LEVEL:
        add(l, "%s", pressure_name((int64_t)t->value));
        break;
    case CONDITION_EVENTS:
        add_events(l, t->value);
        break;
    }
    if (t->window_ms > 0) {
        add(l, "/");
        add_time(l, t->window_ms);
    }
}

const char *condition_print_term(const struct condition_term *t, char *out)
{
    struct line l = {.out = out, .size = CONDITION_TEXT_MAX};

    out[0] = '\0';
    print_term(&l, t);
    return out;
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

static void add_speed(struct line *l, int64_t speed)
{
    char size[TEXT_SIZE_MAX];

    add(l, "%s%s/s", speed < 0 ? "-" : "", text_format_size(speed < 0 ? 0 - (uint64_t)speed : (uint64_t)speed, size));
}

static void add_oom_in(struct line *l, int64_t ms)
{
    if (ms == INT64_MAX)
        add(l, "never");
    else
        add_seconds(l, ms);
}

/* The value, as a person reads it; whole: a share without its decimals. */
static void add_value(struct line *l, enum condition_unit unit, int64_t value, bool whole)
{
    char size[TEXT_SIZE_MAX];

    switch (unit) {
    case CONDITION_SHARE:
        add_share(l, (uint64_t)(whole ? value - value % 100 : value - value % 10));
        break;
    case CONDITION_BYTES:
        add(l, "%s", text_format_size((uint64_t)value, size));
        break;
    case CONDITION_SPEED:
        add_speed(l, value);
        break;
    case CONDITION_TIME:
    case CONDITION_DUMP_TIME:
        add_oom_in(l, value);
        break;
    case CONDITION_LEVEL:
        add(l, "%s", pressure_name(value));
        break;
    case CONDITION_EVENTS:
        if (value == 0)
            add(l, "none");
        add_events(l, (uint64_t)value);
        break;
    }
}

const char *condition_print_value(const struct condition_term *t, const struct reading *r, char *out)
{
    struct line l = {.out = out, .size = CONDITION_TEXT_MAX};
    struct reading_value value = condition_value(t, r);

    out[0] = '\0';
    if (!value.known) {
        add(&l, "unknown: %s", reading_why(&value));
        return out;
    }
    add_value(&l, KINDS[t->what].unit, value.value, false);
    if (t->what != CONDITION_OOM_IN_DUMP)
        return out;
    add(&l, ", a dump takes ");
    if (r->dump_ms.known)
        add_seconds(&l, r->dump_ms.value);
    else
        add(&l, "an unknown time: %s", reading_why(&r->dump_ms));
    return out;
}

static void explain_term(struct line *l, const struct condition_term *t, const struct reading *r)
{
    const struct kind *kind = &KINDS[t->what];
    struct reading_value value = t->what == CONDITION_OOM_IN_DUMP ? r->dump_ms : condition_value(t, r);

    if (!kind->label || !value.known || value.value < 0 || (kind->unit == CONDITION_EVENTS && value.value == 0))
        return;
    add(l, ", %s ", kind->label);
    add_value(l, kind->unit, value.value, true);
    if (t->window_ms > 0) {
        add(l, " of ");
        add_time(l, t->window_ms);
    }
}

const char *condition_explain(const struct condition *c, const struct reading *r, char *out)
{
    struct line l = {.out = out, .size = CONDITION_EXPLAIN_MAX};
    uint64_t explained = 0;

    out[0] = '\0';
    explain_memory(&l, r);
    explain_growth(&l, r);
    for (unsigned i = 0; i < c->count; i++) {
        bool psi = c->term[i].what == CONDITION_PSI_SOME || c->term[i].what == CONDITION_PSI_FULL;

        if (!psi && explained & 1ull << c->term[i].what)
            continue;
        explained |= 1ull << c->term[i].what;
        explain_term(&l, &c->term[i], r);
    }
    return out;
}
