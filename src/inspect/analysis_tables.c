/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads, waste, classes, packages, class loaders: what comes as lists.
 */
#include <inttypes.h>
#include <string.h>

#include "base/html_table.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/analysis.h"

struct column {
    const char *head, *field;
    bool size; /* bytes; else a count */
};

struct listing {
    const char *title, *caption, *field, *name_head, *name_field;
    struct column column[4];
    unsigned columns;
};

static const struct listing LISTINGS[] = {
    {"Classes",
     "Those whose instances take most memory themselves",
     "classes",
     "Class",
     "class",
     {{"Objects", "count", false}, {"Own size", "bytes", true}, {"Keep alive", "retained_bytes", true}},
     3},
    {"Packages",
     "Instances of a package's classes, and of the packages below it",
     "packages",
     "Package",
     "package",
     {{"Objects", "count", false}, {"Own size", "bytes", true}, {"Keep alive", "retained_bytes", true}},
     3},
    {"Class loaders",
     "Each with the classes that it defined and their instances",
     "loaders",
     "Class loader",
     "loader",
     {{"Classes", "classes", false}, {"Own size", "bytes", true}, {"Keeps alive", "retained_bytes", true}},
     3},
};

static void write_list_row(struct html_table *t, const struct listing *l, const json_t *row, uint64_t whole)
{
    html_table_row(t, NULL);
    html_table_head(t, *analysis_text(row, l->name_field) ? analysis_text(row, l->name_field) : "(none)");
    for (unsigned c = 0; c < l->columns; c++) {
        uint64_t n = analysis_number(row, l->column[c].field);

        if (l->column[c].size)
            html_table_size(t, n);
        else
            html_table_count(t, n);
    }
    html_table_bar(t, analysis_number(row, l->column[l->columns - 1].field), whole);
    html_table_row_end(t);
}

static void write_rows(struct html *h, const json_t *rows, const struct listing *l, uint64_t whole)
{
    const char *heads[6] = {l->name_head};
    struct html_table t = {h, heads, l->columns + 2, 0};
    size_t i;
    json_t *row;

    for (unsigned c = 0; c < l->columns; c++)
        heads[c + 1] = l->column[c].head;
    html_table_begin(&t, l->caption);
    json_array_foreach(rows, i, row)
    {
        if (i >= ANALYSIS_ROWS)
            break;
        write_list_row(&t, l, row, whole);
    }
    html_table_end(&t);
    if (json_array_size(rows) > ANALYSIS_ROWS) {
        html_begin_class(h, "p", "small muted");
        html_printf(h, "and %zu more", json_array_size(rows) - ANALYSIS_ROWS);
        html_end(h);
    }
}

static void write_list(struct html *h, const json_t *a, const struct listing *l)
{
    const json_t *rows = json_object_get(a, l->field);

    if (json_array_size(rows) == 0)
        return;
    html_begin(h, "section");
    html_element(h, "h2", NULL, l->title);
    write_rows(h, rows, l, analysis_number(a, "reachable_bytes"));
    html_end(h);
}

void analysis_html_classes(struct html *h, const json_t *a)
{
    for (size_t i = 0; i < ARRAY_SIZE(LISTINGS); i++)
        write_list(h, a, &LISTINGS[i]);
}

void analysis_html_frames(struct html *h, const json_t *frames)
{
    size_t i;
    json_t *frame;

    html_begin_class(h, "ol", "frames");
    json_array_foreach(frames, i, frame)
    {
        if (i >= ANALYSIS_FRAMES)
            break;
        html_begin(h, "li");
        html_element(h, "code", NULL, json_string_value(frame));
        html_end(h);
    }
    html_end(h);
    if (json_array_size(frames) > ANALYSIS_FRAMES) {
        html_begin_class(h, "p", "small muted");
        html_printf(h, "and %zu more frames", json_array_size(frames) - ANALYSIS_FRAMES);
        html_end(h);
    }
}

static void write_thread(struct html *h, const json_t *thread)
{
    const json_t *frames = json_object_get(thread, "frames");
    bool victim = json_is_true(json_object_get(thread, "out_of_memory")), stack = json_array_size(frames) > 0;
    char size[TEXT_SIZE_MAX];

    html_begin(h, stack ? "details" : "div");
    html_attr(h, "class", victim ? "thread victim" : "thread");
    if (victim && stack)
        html_flag(h, "open");
    html_begin(h, stack ? "summary" : "p");
    html_element(h, "span", "name", analysis_text(thread, "name"));
    html_begin_class(h, "span", "share");
    html_printf(h, "keeps %s alive%s", text_format_size(analysis_number(thread, "retained_bytes"), size),
                victim ? " · ran out of memory" : "");
    html_end(h);
    html_end(h);
    if (stack)
        analysis_html_frames(h, frames);
    html_end(h);
}

void analysis_html_threads(struct html *h, const json_t *a)
{
    const json_t *threads = json_object_get(a, "threads");
    size_t i;
    json_t *thread;

    if (json_array_size(threads) == 0)
        return;
    html_begin(h, "section");
    html_element(h, "h2", NULL, "Threads");
    json_array_foreach(threads, i, thread)
    {
        if (i >= ANALYSIS_ROWS)
            break;
        write_thread(h, thread);
    }
    if (json_array_size(threads) > ANALYSIS_ROWS) {
        html_begin_class(h, "p", "small muted");
        html_printf(h, "and %zu more", json_array_size(threads) - ANALYSIS_ROWS);
        html_end(h);
    }
    html_end(h);
}

static const struct listing WASTES[] = {
    {"Duplicate strings",
     "Texts that are in the heap several times: what all copies but one take",
     "duplicate_strings",
     "Text",
     "text",
     {{"Characters", "length", false}, {"Copies", "count", false}, {"Lost", "bytes", true}},
     3},
    {"Duplicate arrays",
     "Arrays of numbers with the same content, by their first bytes",
     "duplicate_arrays",
     "Content",
     "begins",
     {{"Elements", "length", false}, {"Copies", "count", false}, {"Lost", "bytes", true}},
     3},
    {"Collections",
     "Those without elements, and those that use less than half of their room",
     "collections",
     "Class",
     "class",
     {{"All", "count", false}, {"Empty", "empty_bytes", true}, {"Sparse", "sparse_bytes", true}},
     3},
    {"Arrays of zeros",
     "Arrays of numbers in which nothing was ever stored",
     "zero_arrays",
     "Class",
     "class",
     {{"Arrays", "count", false}, {"Size", "bytes", true}},
     2},
    {"Boxed numbers",
     "Objects of the same value as another one",
     "boxes",
     "Class",
     "class",
     {{"All", "count", false}, {"Duplicates", "duplicates", false}, {"Lost", "bytes", true}},
     3},
};

/* Those of duplicates are the largest of a sum; the others are lists as they are. */
static const json_t *waste_rows(const json_t *waste, const struct listing *l)
{
    const json_t *found = json_object_get(waste, l->field);

    return json_is_object(found) ? json_object_get(found, "top") : found;
}

static void write_waste_sum(struct html *h, const json_t *found)
{
    char size[TEXT_SIZE_MAX];

    if (!json_is_object(found))
        return;
    html_begin(h, "p");
    html_printf(h, "%s lost in %" PRIu64 " copies", text_format_size(analysis_number(found, "bytes"), size),
                analysis_number(found, "count"));
    html_end(h);
}

void analysis_html_waste(struct html *h, const json_t *a)
{
    const json_t *waste = json_object_get(a, "waste");

    if (!json_is_object(waste))
        return;
    html_begin(h, "section");
    html_element(h, "h2", NULL, "Waste");
    for (size_t i = 0; i < ARRAY_SIZE(WASTES); i++) {
        const json_t *rows = waste_rows(waste, &WASTES[i]);

        if (json_array_size(rows) == 0)
            continue;
        html_begin_class(h, "details", "waste");
        html_begin(h, "summary");
        html_element(h, "h3", NULL, WASTES[i].title);
        html_end(h);
        write_waste_sum(h, json_object_get(waste, WASTES[i].field));
        write_rows(h, rows, &WASTES[i], analysis_number(a, "reachable_bytes"));
        html_end(h);
    }
    html_end(h);
}
