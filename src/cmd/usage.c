/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage usage: the space of a store by namespace, from its listing.
 */
#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/table.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/store_operand.h"
#include "ship/case_facts.h"
#include "ship/case_list.h"
#include "ship/plan.h"

struct usage_options {
    struct plan_options plan;
    bool json;
};

static const struct opt USAGE_OPTIONS[] = {
    {OPT_HEADING, .name = "Output"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct usage_options, json),
     "an array of objects: namespace, cases, pinned, bytes, oldest, newest, other_objects, other_bytes"},
    PLAN_OPTIONS_STORE(struct usage_options, plan),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

enum { NAME_TEXT_MAX = 1024, DAY = sizeof("2026-11-21") - 1 };

struct row {
    char *namespace;
    uint64_t cases, pinned, bytes, other_objects, other_bytes;
    int64_t oldest_ns, newest_ns;
};

struct rows {
    struct row *item;
    size_t count, capacity;
};

static void rows_done(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        free(rows->item[i].namespace);
    free(rows->item);
}

/* Takes the name. */
static struct row *row_of(struct rows *rows, char *namespace)
{
    CLEANUP_FREE char *name = namespace;
    size_t i = 0;

    while (name && i < rows->count && !text_eq(rows->item[i].namespace, name))
        i++;
    if (!name || array_reserve(&rows->item, i + 1, &rows->capacity, sizeof(*rows->item), SIZE_MAX) < 0)
        return NULL;
    if (i == rows->count)
        rows->item[rows->count++] = (struct row){.namespace = TAKE_PTR(name)};
    return &rows->item[i];
}

static int sum_up(const struct case_list *l, struct rows *rows)
{
    struct row *row;

    for (size_t i = 0; i < l->count; i++) { /* the oldest first */
        const struct listed_case *c = &l->item[i];

        if (!(row = row_of(rows, case_namespace(c->id))))
            return -ENOMEM;
        if (row->cases++ == 0)
            row->oldest_ns = c->time_ns;
        row->newest_ns = c->time_ns;
        row->pinned += c->pinned;
        row->bytes += c->bytes;
    }
    for (size_t i = 0; i < l->other_count; i++) {
        if (!(row = row_of(rows, strdup(l->other[i].namespace))))
            return -ENOMEM;
        row->other_objects += l->other[i].objects;
        row->other_bytes += l->other[i].bytes;
    }
    return 0;
}

static int largest_first(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    uint64_t of_x = x->bytes + x->other_bytes, of_y = y->bytes + y->other_bytes;

    return of_x != of_y ? (of_x > of_y ? -1 : 1) : strcmp(x->namespace, y->namespace);
}

static json_t *time_json(int64_t ns)
{
    char text[CLOCK_TEXT_MAX];

    return ns ? json_string(clock_format(ns, text)) : json_null();
}

static int print_json(const struct rows *rows)
{
    json_auto_t *list = json_array();

    for (size_t i = 0; i < rows->count; i++) {
        const struct row *r = &rows->item[i];
        json_t *one = json_pack("{s:o, s:I, s:I, s:I, s:o, s:o, s:I, s:I}", "namespace",
                                jsonout_text(r->namespace, NAME_TEXT_MAX), "cases", (json_int_t)r->cases, "pinned",
                                (json_int_t)r->pinned, "bytes", (json_int_t)r->bytes, "oldest", time_json(r->oldest_ns),
                                "newest", time_json(r->newest_ns), "other_objects", (json_int_t)r->other_objects,
                                "other_bytes", (json_int_t)r->other_bytes);

        if (!one || json_array_append_new(list, one) < 0)
            return -ENOMEM;
    }
    return list && json_dumpf(list, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0 && puts("") >= 0 ? 0 : -EIO;
}

static int add_number(struct table *t, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof(text), "%ju", (uintmax_t)number);
    return table_add(t, text);
}

static int add_row(struct table *t, const struct row *row)
{
    char name[80], size[TEXT_SIZE_MAX], oldest[CLOCK_TEXT_MAX] = "-", newest[CLOCK_TEXT_MAX] = "-";
    int r;

    if (row->cases > 0) {
        clock_format(row->oldest_ns, oldest);
        clock_format(row->newest_ns, newest);
        oldest[DAY] = newest[DAY] = '\0';
    }
    if ((r = table_add(t, *row->namespace ? text_printable(row->namespace, name, sizeof(name)) : "-")) < 0 ||
        (r = add_number(t, row->cases)) < 0 || (r = add_number(t, row->pinned)) < 0 ||
        (r = table_add(t, text_format_size(row->bytes, size))) < 0 || (r = table_add(t, oldest)) < 0 ||
        (r = table_add(t, newest)) < 0 || (r = add_number(t, row->other_objects)) < 0)
        return r;
    return table_add(t, text_format_size(row->other_bytes, size));
}

static int print_table(const struct rows *rows)
{
    static const struct table_column COLUMNS[] = {
        {"NAMESPACE", TABLE_LEFT}, {"CASES", TABLE_RIGHT}, {"PINNED", TABLE_RIGHT}, {"SIZE", TABLE_RIGHT},
        {"OLDEST", TABLE_LEFT},    {"NEWEST", TABLE_LEFT}, {"OTHER", TABLE_RIGHT},  {"SIZE", TABLE_RIGHT}};
    CLEANUP(table_done) struct table t = {.columns = COLUMNS, .count = ARRAY_SIZE(COLUMNS)};
    CLEANUP(buf_done) struct buf text = {0};
    int r = 0;

    for (size_t i = 0; r == 0 && i < rows->count; i++)
        r = add_row(&t, &rows->item[i]);
    if (r == 0)
        r = table_print(&t, table_colours(), &text);
    if (r == 0)
        fputs(buf_text(&text), stdout);
    return r;
}

static int run_on(const struct usage_options *o, const char *url, struct err *e)
{
    CLEANUP(sink_config_done) struct sink_config config = {0};
    CLEANUP(case_list_done) struct case_list cases = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    struct sink *sink = NULL;
    int r;

    if ((r = plan_sink_config(&config, &o->plan, url, e)) < 0 || (r = sink_open(&config, &sink, e)) < 0)
        return r;
    r = case_list_read(&cases, sink, e);
    sink_close(sink);
    if (r < 0)
        return r;
    if ((r = sum_up(&cases, &rows)) == 0) {
        if (rows.count > 0)
            qsort(rows.item, rows.count, sizeof(*rows.item), largest_first);
        r = o->json ? print_json(&rows) : print_table(&rows);
    }
    if (r == -ENOMEM)
        return err_set(e, r, "out of memory");
    return r == 0 && fflush(stdout) == 0 ? 0 : err_set(e, -EIO, "cannot write to stdout");
}

static int run(int argc, char **argv)
{
    struct usage_options o = {0};
    const struct store_command command = {USAGE_OPTIONS, &o, &o.plan};
    CLEANUP_FREE char *url = NULL;
    struct err e = {0};
    int r = store_operand_parse(&command, &(struct opt_argv){argc, argv}, &url, &e);

    if (r == 0)
        r = run_on(&o, url, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_USAGE = {
    .name = "usage",
    .args = "[URL]",
    .summary = "show the space of a store by namespace",
    .text = "Counts what a listing of the store shows: cases with all their objects, and other objects that lie there.",
    .examples = "salvage usage s3://evidence/prod\n    which namespace takes how much\n",
    .options = USAGE_OPTIONS,
    .run = run,
};
