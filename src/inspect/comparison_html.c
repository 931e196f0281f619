/* SPDX-License-Identifier: Apache-2.0
 *
 * The comparison as HTML.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/html_table.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/analysis.h"
#include "inspect/comparison.h"
#include "inspect/report_parts.h"

#define ARROW " \xe2\x86\x92 "
#define MINUS "\xe2\x88\x92"

enum { GROWN_ROWS = ANALYSIS_ROWS * 3 / 4 };

typedef char signed_text[TEXT_SIGNED_SIZE_MAX];

static const char *signed_size(int64_t bytes, signed_text out)
{
    return text_format_signed_size(bytes, MINUS, out);
}

static const char *signed_count(int64_t n, signed_text out)
{
    snprintf(out, sizeof(signed_text), "%s%" PRId64, n < 0 ? MINUS : "+", n < 0 ? -n : n);
    return out;
}

static void write_sizes(struct html *h, const uint64_t of[2])
{
    char before[TEXT_SIZE_MAX], after[TEXT_SIZE_MAX];

    html_printf(h, "%s" ARROW "%s", text_format_size(of[0], before), text_format_size(of[1], after));
}

static void write_holder(struct html *h, const struct compared_suspect *s)
{
    const json_t *one = compared_suspect_json(s);

    if (analysis_number(one, "count") > 1)
        html_printf(h, "%" PRIu64 " × ", analysis_number(one, "count"));
    html_text(h, analysis_number(one, "count") <= 1 && *analysis_text(one, "holder") ? analysis_text(one, "holder")
                                                                                     : analysis_text(one, "class"));
}

void comparison_html_sentence(struct html *h, const struct comparison *c)
{
    const struct compared_suspect *s = c->suspects > 0 ? &c->suspect[0] : NULL;
    const struct comparison_row *row = c->classes.count > 0 ? &c->classes.row[0] : NULL;
    const uint64_t bytes[] = {c->heap[0].bytes, c->heap[1].bytes};
    char size[TEXT_SIZE_MAX];
    signed_text change;

    if (s && s->change == SUSPECT_GREW) {
        write_holder(h, s);
        html_printf(h, " keeps %s more alive", text_format_size((uint64_t)comparison_growth(s->retained), size));
        return;
    }
    if (s && s->change == SUSPECT_NEW) {
        html_text(h, "New: ");
        write_holder(h, s);
        html_printf(h, " keeps %s alive", text_format_size(s->retained[1], size));
        return;
    }
    html_printf(h, "The heap: %s", signed_size(comparison_growth(bytes), change));
    if (row && comparison_growth(row->bytes) > 0)
        html_printf(h, ", most of all %s with %s", row->name, signed_size(comparison_growth(row->bytes), change));
}

static void write_heap_name(struct html *h, const struct compared_heap *of, const char *title)
{
    if (!*of->name && !*of->time)
        return;
    html_fact_begin(h, title, NULL);
    html_text(h, of->name);
    if (*of->time)
        html_printf(h, "%s%s", *of->name ? ", " : "", of->time);
    html_fact_end(h);
}

void comparison_html_facts(struct html *h, const struct comparison *c)
{
    const uint64_t bytes[] = {c->heap[0].bytes, c->heap[1].bytes};
    const uint64_t garbage[] = {c->heap[0].unreachable_bytes, c->heap[1].unreachable_bytes};
    signed_text change;

    html_begin_class(h, "dl", "facts");
    write_heap_name(h, &c->heap[0], "Before");
    write_heap_name(h, &c->heap[1], "After");
    html_fact_begin(h, c->digest ? "Heap, with garbage" : "Heap", NULL);
    write_sizes(h, bytes);
    html_printf(h, " (%s)", signed_size(comparison_growth(bytes), change));
    html_fact_end(h);
    html_fact_begin(h, "Objects", NULL);
    html_printf(h, "%" PRIu64 ARROW "%" PRIu64, c->heap[0].objects, c->heap[1].objects);
    html_fact_end(h);
    if (!c->digest) {
        html_fact_begin(h, "Garbage", NULL);
        write_sizes(h, garbage);
        html_fact_end(h);
    }
    html_end(h);
    for (unsigned side = 0; side < 2; side++) {
        if (!*c->heap[side].cut)
            continue;
        html_begin_class(h, "p", "note");
        html_printf(h, "The %s dump is not whole: %s", side ? "second" : "first", c->heap[side].cut);
        html_end(h);
    }
}

static void write_share(struct html *h, const struct comparison *c, const struct compared_suspect *s, unsigned side)
{
    char size[TEXT_SIZE_MAX];

    html_printf(h, "%s (%u %%)", text_format_size(s->retained[side], size),
                report_percent(s->retained[side], c->heap[side].bytes));
}

static void write_change(struct html *h, const struct comparison *c, const struct compared_suspect *s)
{
    signed_text change;

    html_begin(h, "p");
    if (s->known[0] && s->known[1]) {
        html_text(h, "It kept ");
        write_share(h, c, s, 0);
        html_text(h, " alive, and now ");
        write_share(h, c, s, 1);
        html_printf(h, ": %s.", signed_size(comparison_growth(s->retained), change));
    } else {
        html_text(h, s->known[1] ? "It keeps " : "It kept ");
        write_share(h, c, s, s->known[1]);
        html_printf(h, " alive; %s less than a tenth of the heap.", s->known[1] ? "before it was" : "now it is");
    }
    html_end(h);
}

static void write_content(struct html *h, const struct compared_suspect *s)
{
    const json_t *content = json_object_get(compared_suspect_json(s), "content");
    const json_t *before = s->of[0] ? json_object_get(s->of[0], "content") : NULL;

    if (!json_is_object(content))
        return;
    html_begin(h, "p");
    html_text(h, "Most of it: ");
    if (s->of[1] && before && text_eq(analysis_text(before, "class"), analysis_text(content, "class")))
        html_printf(h, "%" PRIu64 ARROW, analysis_number(before, "count"));
    html_printf(h, "%" PRIu64 " × ", analysis_number(content, "count"));
    html_element(h, "code", NULL, analysis_text(content, "class"));
    html_end(h);
}

static void write_suspect(struct html *h, const struct comparison *c, const struct compared_suspect *s)
{
    static const char *const titles[] = {"Grew", "New", "Unchanged", "Shrank", "Gone"};

    html_begin_class(h, "article", "suspect");
    html_begin(h, "h3");
    html_printf(h, "%s: ", titles[s->change]);
    write_holder(h, s);
    html_end(h);
    write_change(h, c, s);
    write_content(h, s);
    analysis_html_path(h, json_object_get(compared_suspect_json(s), "path"));
    html_end(h);
}

static void write_suspects(struct html *h, const struct comparison *c)
{
    if (c->digest)
        return;
    html_begin(h, "section");
    html_element(h, "h2", NULL, "Suspects");
    if (c->suspects == 0)
        html_element(h, "p", NULL, "No object keeps more than a tenth of one of the heaps alive.");
    for (size_t i = 0; i < c->suspects; i++)
        write_suspect(h, c, &c->suspect[i]);
    html_end(h);
}

/* --- what comes as lists --- */

struct listing {
    const char *title, *caption, *name;
    const char *count;                                       /* the column's name */
    const uint64_t *(*of)(const struct comparison_row *row); /* the growth that counts */
};

static const uint64_t *bytes_of(const struct comparison_row *row)
{
    return row->bytes;
}

static const uint64_t *retained_of(const struct comparison_row *row)
{
    return row->retained;
}

static void write_signed(struct html_table *t, int64_t n, const char *text)
{
    char sort[24];

    snprintf(sort, sizeof(sort), "%" PRId64, n);
    html_table_cell_begin(t, "number");
    html_attr(t->h, "data-sort", sort);
    html_text(t->h, text);
    html_end(t->h);
}

static void write_row(struct html_table *t, const struct comparison *c, const struct listing *l,
                      const struct comparison_row *row, uint64_t most)
{
    int64_t growth = comparison_growth(l->of(row));
    signed_text text;

    html_table_row(t, NULL);
    html_table_head(t, *row->name ? row->name : "(none)");
    html_table_size(t, l->of(row)[0]);
    html_table_size(t, l->of(row)[1]);
    write_signed(t, growth, signed_size(growth, text));
    write_signed(t, comparison_growth(row->count), signed_count(comparison_growth(row->count), text));
    if (!c->digest && l->of == bytes_of)
        write_signed(t, comparison_growth(row->retained), signed_size(comparison_growth(row->retained), text));
    html_table_change(t, growth, most);
    html_table_row_end(t);
}

static uint64_t growth_size(const struct listing *l, const struct comparison_row *row)
{
    int64_t n = comparison_growth(l->of(row));

    return (uint64_t)(n < 0 ? -n : n);
}

/* Of many rows those that grew most, and those that shrank most. */
static const struct comparison_row *shown_row(const struct comparison_rows *rows, size_t i)
{
    return &rows->row[rows->count <= ANALYSIS_ROWS || i < GROWN_ROWS ? i : rows->count - ANALYSIS_ROWS + i];
}

static void write_table(struct html *h, const struct comparison *c, const struct comparison_rows *rows,
                        const struct listing *l)
{
    bool retained = !c->digest && l->of == bytes_of;
    const char *heads[] = {l->name, "Before", "After", "Change", l->count, retained ? "Keep alive" : NULL, NULL};
    struct html_table t = {h, heads, retained ? 7 : 6, 0};
    size_t shown = rows->count < ANALYSIS_ROWS ? rows->count : ANALYSIS_ROWS;
    uint64_t most = 0;

    if (shown == 0)
        return;
    for (size_t i = 0; i < shown; i++)
        most = growth_size(l, shown_row(rows, i)) > most ? growth_size(l, shown_row(rows, i)) : most;
    html_begin(h, "section");
    html_element(h, "h2", NULL, l->title);
    html_table_begin(&t, l->caption);
    for (size_t i = 0; i < shown; i++)
        write_row(&t, c, l, shown_row(rows, i), most);
    html_table_end(&t);
    if (rows->count > shown) {
        html_begin_class(h, "p", "small muted");
        html_printf(h, "and %zu between them", rows->count - shown);
        html_end(h);
    }
    html_end(h);
}

void comparison_html_sections(struct html *h, const struct comparison *c)
{
    const struct listing classes = {"Classes",
                                    c->digest ? "Their instances' own sizes, with garbage, the largest growth first"
                                              : "Their instances' own sizes, the largest growth first; Keep alive: the "
                                                "change of what they keep alive",
                                    "Class", "Objects", bytes_of};
    static const struct listing packages = {"Packages",
                                            "What a package's objects keep alive, with the packages below it",
                                            "Package", "Objects", retained_of};
    static const struct listing loaders = {
        "Class loaders", "What the loaders of one class keep alive, with their classes and their instances",
        "Class loader", "Loaders", retained_of};

    write_suspects(h, c);
    write_table(h, c, &c->classes, &classes);
    write_table(h, c, &c->packages, &packages);
    write_table(h, c, &c->loaders, &loaders);
}
