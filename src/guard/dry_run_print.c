/* SPDX-License-Identifier: Apache-2.0
 *
 * Names come from containers: a terminal gets them without control characters, JSON as UTF-8.
 */
#include "guard/dry_run_print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/text.h"

enum { ROW_MAX = 2048, NAME_MAX_SIZE = TARGET_NAME_MAX, TERM_WIDTH = 24 };

static const char SCHEMA[] = "salvage.guard-dry-run/1";

DEFINE_CLEANUP(json_t *, json_decref)

static const char *verdict_word(enum condition_verdict v)
{
    if (v == CONDITION_UNKNOWN)
        return "unknown";
    return v == CONDITION_TRUE ? "yes" : "no";
}

/* Whether there is a reason why no case is triggered, though a condition holds or is unknown. */
static bool is_explained(const struct dry_run_view *v)
{
    return (v->answer == RULE_WAIT || v->answer == RULE_UNKNOWN) && *v->why;
}

static const char *memory_line(const struct dry_run_view *v, char *out)
{
    static const struct condition no_terms;

    return condition_explain(&no_terms, &v->reading, out);
}

/* "would take stats,threads; raise limits by 256.0 MiB; hold the process for 30 s" */
static int add_plan(const struct dry_run_config *c, struct buf *to)
{
    char text[ACTION_TEXT_MAX], size[TEXT_SIZE_MAX], time[TEXT_DURATION_MAX];
    int r = buf_add_text(to, "would take ");

    for (unsigned i = 0; i < c->actions->count && r == 0; i++)
        r = buf_printf(to, "%s%s", i > 0 ? "," : "", action_print(&c->actions->item[i], text));
    if (r == 0 && c->lend > 0)
        r = buf_printf(to, "; raise limits by up to %s", text_format_size(c->lend, size));
    if (r == 0 && c->hold_ms > 0)
        r = buf_printf(to, "; hold the process for up to %s", text_format_duration(c->hold_ms / 1000, time));
    return r;
}

/* --- a line ---------------------------------------------------------------------------------------------------------
 */

static int add_conditions(const struct dry_run_config *c, const struct dry_run_view *v, struct buf *to)
{
    char text[CONDITION_TEXT_MAX];
    int r = 0;

    for (unsigned i = 0; i < c->rules.count && r == 0; i++) {
        const struct condition *condition = &c->rules.when[i];

        r = buf_printf(to, " | %s %s (", condition_print(condition, text), verdict_word(v->verdict[i]));
        for (unsigned k = 0; k < condition->count && r == 0; k++)
            r = buf_printf(to, "%s%s", k > 0 ? "; " : "",
                           condition_print_value(&condition->term[k], &v->reading, text));
        r = r == 0 ? buf_add_text(to, ")") : r;
    }
    return r;
}

int dry_run_print_line(const struct dry_run_config *c, const struct dry_run_view *v, struct buf *to)
{
    char time[CLOCK_TEXT_MAX], name[NAME_MAX_SIZE], memory[CONDITION_EXPLAIN_MAX];
    int r = buf_printf(to, "%s %s", clock_format(clock_wall_ns(), time),
                       text_printable(v->target->name, name, sizeof(name)));

    if (v->gone)
        return r < 0 ? r : buf_add_text(to, " | gone\n");
    if (r < 0 || (r = buf_printf(to, " | %s", memory_line(v, memory))) < 0 || (r = add_conditions(c, v, to)) < 0)
        return r;
    if (v->answer == RULE_TRIGGER &&
        ((r = buf_printf(to, " | triggered, process %d: %s: ", (int)v->victim, v->why)) < 0 ||
         (r = add_plan(c, to)) < 0))
        return r;
    if (is_explained(v) && (r = buf_printf(to, " | not triggered: %s", v->why)) < 0)
        return r;
    return buf_add_text(to, "\n");
}

/* --- JSON -----------------------------------------------------------------------------------------------------------
 */

static json_t *number_or_null(uint64_t n)
{
    return n > INT64_MAX ? json_null() : json_integer((json_int_t)n);
}

static json_t *known_or_null(const struct reading_value *v)
{
    return v->known && v->value != INT64_MAX ? json_integer(v->value) : json_null();
}

/* In the unit of the output: shares as per cent. */
static json_t *in_unit(enum condition_unit unit, int64_t value)
{
    if (unit == CONDITION_SHARE)
        return json_real((double)value / 100);
    return value == INT64_MAX ? json_null() : json_integer(value);
}

static json_t *verdict(enum condition_verdict v)
{
    return v == CONDITION_UNKNOWN ? json_null() : json_boolean(v == CONDITION_TRUE);
}

static json_t *describe_term(const struct condition_term *t, const struct reading *r)
{
    static const char *const units[] = {
        [CONDITION_SHARE] = "%",      [CONDITION_BYTES] = "bytes",  [CONDITION_SPEED] = "bytes/s",
        [CONDITION_TIME] = "ms",      [CONDITION_DUMP_TIME] = "ms", [CONDITION_LEVEL] = "level",
        [CONDITION_EVENTS] = "events"};
    enum condition_unit unit = condition_unit(t->what);
    struct reading_value now = condition_value(t, r);
    char text[CONDITION_TEXT_MAX], shown[CONDITION_TEXT_MAX];
    const char *why = NULL;
    enum condition_verdict v = condition_evaluate_term(t, r, false, &why);
    json_t *threshold = unit == CONDITION_DUMP_TIME ? known_or_null(&r->dump_ms) : in_unit(unit, (int64_t)t->value);

    return json_pack("{ss so ss so so ss ss*}", "term", condition_print_term(t, text), "holds", verdict(v), "unit",
                     units[unit], "threshold", threshold, "value", now.known ? in_unit(unit, now.value) : json_null(),
                     "shown", condition_print_value(t, r, shown), "unknown", why);
}

static json_t *describe_conditions(const struct dry_run_config *c, const struct dry_run_view *v)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < c->rules.count && array; i++) {
        const struct condition *condition = &c->rules.when[i];
        char text[CONDITION_TEXT_MAX];
        json_t *terms = json_array();

        for (unsigned k = 0; k < condition->count; k++)
            json_array_append_new(terms, describe_term(&condition->term[k], &v->reading));
        json_array_append_new(array, json_pack("{ss so so}", "condition", condition_print(condition, text), "holds",
                                               verdict(v->verdict[i]), "terms", terms));
    }
    return array;
}

static json_t *describe_memory(const struct dry_run_view *v)
{
    const struct memcg_sample *s = &v->target->last.sample;
    struct reading_value oom_in = reading_oom_in(&v->reading);

    return json_pack("{sI sI sI so sI so sI so so}", "usage", (json_int_t)s->usage, "used", (json_int_t)s->used, "own",
                     (json_int_t)s->own_used, "limit", number_or_null(s->limit), "level", (json_int_t)s->level, "room",
                     number_or_null(s->room), "swap_room", (json_int_t)s->swap_room, "growth",
                     known_or_null(&v->reading.growth), "oom_in_ms", known_or_null(&oom_in));
}

static json_t *arrived_notices(const struct target *t)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < t->signals; i++)
        if (t->arrived & 1u << i)
            json_array_append_new(array, json_string(t->signal[i].ops->name));
    return array;
}

static json_t *events(const struct dry_run_view *v)
{
    static const char *const names[] = {"high", "max", "oom", "oom-kill", "oom-group-kill"}; /* enum reading_event */
    json_t *array = json_array();

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (v->reading.events.known && v->reading.events.value & INT64_C(1) << i)
            json_array_append_new(array, json_string(names[i]));
    return array;
}

static json_t *describe_case(const struct dry_run_config *c, const struct dry_run_view *v)
{
    json_t *actions;
    char text[ACTION_TEXT_MAX];

    if (v->answer != RULE_TRIGGER)
        return json_null();
    actions = json_array();
    for (unsigned i = 0; i < c->actions->count; i++)
        json_array_append_new(actions, json_string(action_print(&c->actions->item[i], text)));
    return json_pack("{si so sI sI}", "pid", (int)v->victim, "actions", actions, "lend", (json_int_t)c->lend, "hold_ms",
                     (json_int_t)c->hold_ms);
}

static int add_live(const struct dry_run_config *c, const struct dry_run_view *v, const char *notices, json_t *root)
{
    static const char *const answers[] = {
        [RULE_QUIET] = "quiet", [RULE_TRIGGER] = "trigger", [RULE_WAIT] = "wait", [RULE_UNKNOWN] = "unknown"};
    const struct target *t = v->target;
    uint64_t now = clock_mono_ms();
    json_t *live = json_pack(
        "{ss* si si sb so so so so ss ss* so ss* sI}", "container", *t->last.container_id ? t->last.container_id : NULL,
        "cgroup", t->memcg.v2 ? 2 : 1, "levels", (int)t->memcg.levels, "whole", t->memcg.whole, "memory",
        describe_memory(v), "events", events(v), "notices", arrived_notices(t), "conditions", describe_conditions(c, v),
        "answer", answers[v->answer], "why", *v->why ? v->why : NULL, "case", describe_case(c, v), "kernel_notices",
        notices, "next_ms", (json_int_t)(t->due_ms > now ? t->due_ms - now : 0));
    int r = live ? json_object_update(root, live) : -1;

    json_decref(live);
    return r;
}

int dry_run_print_json(const struct dry_run_config *c, const struct dry_run_view *v, const char *notices,
                       struct buf *to)
{
    char time[CLOCK_TEXT_MAX];
    CLEANUP(json_decref_ptr)
    json_t *root = json_pack("{ss ss so sb}", "schema", SCHEMA, "time", clock_format(clock_wall_ns(), time), "target",
                             jsonout_text(v->target->name, NAME_MAX_SIZE), "gone", v->gone);
    CLEANUP_FREE char *text = NULL;

    if (!root || (!v->gone && add_live(c, v, notices, root) < 0) ||
        !(text = json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII)))
        return -ENOMEM;
    return buf_printf(to, "%s\n", text);
}

/* --- a table --------------------------------------------------------------------------------------------------------
 */

struct drawing {
    const struct dry_run_screen *screen;
    struct buf *to;
    unsigned rows;
    int result;
};

enum style { PLAIN, BOLD, RED, YELLOW };

/* A row, cut at the terminal's width, in one style. */
static void add_row(struct drawing *d, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add_row(struct drawing *d, enum style style, const char *format, ...)
{
    static const char *const codes[] = {"", "\033[1m", "\033[31m", "\033[33m"};
    bool styled = d->screen->colours && style != PLAIN;
    char row[ROW_MAX], shown[ROW_MAX];
    va_list args;
    size_t cut;

    va_start(args, format);
    vsnprintf(row, sizeof(row), format, args); /* NOLINT(clang-analyzer-valist.Uninitialized): it is, a line above */
    va_end(args);
    text_printable(row, shown, sizeof(shown));
    if ((cut = strlen(shown)) > d->screen->columns)
        for (cut = d->screen->columns; cut > 0 && ((unsigned char)shown[cut] & 0xc0) == 0x80;)
            cut--;
    d->rows++;
    if (d->result == 0)
        d->result =
            buf_printf(d->to, "%s%.*s%s\033[K\n", styled ? codes[style] : "", (int)cut, shown, styled ? "\033[0m" : "");
}

static enum style verdict_style(enum condition_verdict v)
{
    if (v == CONDITION_UNKNOWN)
        return YELLOW;
    return v == CONDITION_TRUE ? RED : PLAIN;
}

static void add_condition_rows(struct drawing *d, const struct condition *c, const struct dry_run_view *v)
{
    for (unsigned k = 0; k < c->count; k++) {
        enum condition_verdict one = condition_evaluate_term(&c->term[k], &v->reading, false, NULL);
        char term[CONDITION_TEXT_MAX], now[CONDITION_TEXT_MAX];

        add_row(d, verdict_style(one), "  %-8s %-*s %s", verdict_word(one), TERM_WIDTH,
                condition_print_term(&c->term[k], term), condition_print_value(&c->term[k], &v->reading, now));
    }
    if (c->count > 1)
        add_row(d, PLAIN, "  %-8s all %u of these", verdict_word(condition_evaluate(c, &v->reading, false, NULL)),
                c->count);
}

static unsigned rows_of(const struct dry_run_config *c, const struct dry_run_view *v)
{
    unsigned rows = 2 + (v->triggered_ns ? 1U : 0U) + (is_explained(v) ? 1U : 0U);

    for (unsigned i = 0; i < c->rules.count; i++)
        rows += c->rules.when[i].count + (c->rules.when[i].count > 1 ? 1U : 0U);
    return rows;
}

static void add_target_rows(struct drawing *d, const struct dry_run_config *c, const struct dry_run_view *v)
{
    char memory[CONDITION_EXPLAIN_MAX], time[CLOCK_TEXT_MAX];

    add_row(d, PLAIN, "%s", "");
    add_row(d, BOLD, "%s  %s", v->target->name, v->polled ? memory_line(v, memory) : "");
    for (unsigned i = 0; i < c->rules.count; i++)
        add_condition_rows(d, &c->rules.when[i], v);
    if (v->triggered_ns)
        add_row(d, RED, "  triggered %s, process %d: %s", clock_format(v->triggered_ns, time), (int)v->victim,
                v->triggered_by);
    if (is_explained(v))
        add_row(d, YELLOW, "  %s", v->why);
}

int dry_run_print_table(const struct dry_run_config *c, const struct dry_run_table *table, struct buf *to,
                        unsigned *ret_rows)
{
    struct drawing d = {.screen = &table->screen, .to = to};
    CLEANUP(buf_done) struct buf plan = {0};
    char time[CLOCK_TEXT_MAX];
    size_t shown = 0;
    int r = add_plan(c, &plan);

    if (r < 0)
        return r;
    add_row(&d, BOLD, "%s  guard --dry-run of %zu cgroup%s: no evidence is taken, Ctrl-C ends",
            clock_format(clock_wall_ns(), time), table->count, table->count == 1 ? "" : "s");
    add_row(&d, PLAIN, "a case %s", buf_text(&plan));
    /* Below the table stand two rows at most, and the cursor. */
    while (shown < table->count && d.rows + rows_of(c, table->views[shown]) + 3 <= table->screen.rows)
        add_target_rows(&d, c, table->views[shown++]);
    if (shown < table->count)
        add_row(&d, YELLOW, "%zu more do not fit: a higher window or --json shows them", table->count - shown);
    if (*table->note)
        add_row(&d, YELLOW, "%s", table->note);
    *ret_rows = d.rows;
    return d.result;
}
