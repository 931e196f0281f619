/* SPDX-License-Identifier: Apache-2.0
 *
 * The comparison for a terminal: a screen of it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "inspect/analysis.h"
#include "inspect/comparison.h"
#include "inspect/report_parts.h"

#define ARROW " \xe2\x86\x92 "
#define DOT " \xc2\xb7 "

enum { LITTLE = 1000 }; /* a thousandth of the heap is not worth a word */

typedef char signed_text[TEXT_SIGNED_SIZE_MAX];

static const char *signed_size(int64_t bytes, signed_text out)
{
    return text_format_signed_size(bytes, "-", out);
}

static void put_sizes(const uint64_t of[2], FILE *out)
{
    char before[TEXT_SIZE_MAX], after[TEXT_SIZE_MAX];

    fprintf(out, "%s" ARROW "%s", text_format_size(of[0], before), text_format_size(of[1], after));
}

static void put_time(const char *time, FILE *out)
{
    int64_t ns;

    if (clock_parse(time, &ns) < 0)
        fputs("?", out);
    else
        fprintf(out, "%.10s %.8sZ", time, time + strlen("2026-11-21T"));
}

static void print_head(const struct comparison *c, FILE *out)
{
    int64_t time[2];

    report_put(out, c->heap[0].name);
    fputs(ARROW, out);
    report_put(out, c->heap[1].name);
    if (*c->heap[0].time && *c->heap[1].time) {
        fputs(DOT, out);
        put_time(c->heap[0].time, out);
        fputs(ARROW, out);
        put_time(c->heap[1].time, out);
    }
    fputs("\n", out);
    if (clock_parse(c->heap[0].time, &time[0]) == 0 && clock_parse(c->heap[1].time, &time[1]) == 0 && time[1] < time[0])
        fputs("  The second dump is older than the first.\n", out);
    for (unsigned side = 0; side < 2; side++) {
        if (!*c->heap[side].cut)
            continue;
        fprintf(out, "  The %s dump is not whole: ", side ? "second" : "first");
        report_put(out, c->heap[side].cut);
        fputs("\n", out);
    }
}

static void print_heap(const struct comparison *c, FILE *out)
{
    const struct compared_heap *before = &c->heap[0], *after = &c->heap[1];
    const uint64_t bytes[] = {before->bytes, after->bytes};
    const uint64_t garbage[] = {before->unreachable_bytes, after->unreachable_bytes};
    signed_text change;

    fputs("  HEAP       ", out);
    put_sizes(bytes, out);
    fprintf(out, ", %s", signed_size(comparison_growth(bytes), change));
    if (bytes[0] > 0)
        fprintf(out, " (%+.0f %%)", (double)comparison_growth(bytes) * 100 / (double)bytes[0]);
    fprintf(out, DOT "%" PRIu64 ARROW "%" PRIu64 " objects", before->objects, after->objects);
    if (!c->digest) {
        fputs(DOT "unreachable ", out);
        put_sizes(garbage, out);
    }
    fputs("\n", out);
}

/* "static com.shop.Cart.CACHE (java.util.HashMap)", "550 → 700 × java.lang.Class" */
static void put_holder(const struct compared_suspect *s, FILE *out)
{
    const json_t *one = compared_suspect_json(s);

    if (analysis_number(one, "count") > 1) {
        if (s->of[0] && s->of[1])
            fprintf(out, "%" PRIu64 ARROW, analysis_number(s->of[0], "count"));
        fprintf(out, "%" PRIu64 " × ", analysis_number(one, "count"));
    }
    report_put(out, analysis_number(one, "count") <= 1 && *analysis_text(one, "holder") ? analysis_text(one, "holder")
                                                                                        : analysis_text(one, "class"));
}

static void put_share(const struct comparison *c, const struct compared_suspect *s, unsigned side, FILE *out)
{
    char size[TEXT_SIZE_MAX];

    fprintf(out, "%s (%u %%)", text_format_size(s->retained[side], size),
            report_percent(s->retained[side], c->heap[side].bytes));
}

static void put_content(const struct compared_suspect *s, FILE *out)
{
    const json_t *content = json_object_get(compared_suspect_json(s), "content");
    const json_t *before = s->of[0] ? json_object_get(s->of[0], "content") : NULL;

    if (!json_is_object(content))
        return;
    fputs(": ", out);
    if (s->of[1] && before && text_eq(analysis_text(before, "class"), analysis_text(content, "class")))
        fprintf(out, "%" PRIu64 ARROW, analysis_number(before, "count"));
    fprintf(out, "%" PRIu64 " × ", analysis_number(content, "count"));
    report_put(out, analysis_text(content, "class"));
}

static void put_path(const json_t *suspect, FILE *out)
{
    const json_t *path = json_object_get(suspect, "path");
    size_t i;
    json_t *step;

    json_array_foreach(path, i, step)
    {
        fputs(i ? ARROW : "             ", out);
        report_put(out, json_string_value(step));
    }
    if (json_array_size(path) > 0)
        fputs("\n", out);
}

static void print_suspect(const struct comparison *c, const struct compared_suspect *s, bool bold, FILE *out)
{
    static const char *const titles[] = {"GREW", "NEW", "SAME", "SHRANK", "GONE"};
    signed_text change;

    fprintf(out, "  %s%-10s%s ", bold ? "\033[1m" : "", titles[s->change], bold ? "\033[0m" : "");
    put_holder(s, out);
    if (s->known[0] && s->known[1]) {
        fputs(" kept ", out);
        put_share(c, s, 0, out);
        fputs(", now ", out);
        put_share(c, s, 1, out);
        fprintf(out, ", %s", signed_size(comparison_growth(s->retained), change));
    } else {
        fputs(s->known[1] ? " keeps " : " kept ", out);
        put_share(c, s, s->known[1], out);
        fprintf(out, ", %s less than a tenth of the heap", s->known[1] ? "before" : "now");
    }
    put_content(s, out);
    fputs("\n", out);
    put_path(compared_suspect_json(s), out);
}

static void print_suspects(const struct comparison *c, bool bold, FILE *out)
{
    for (size_t i = 0; i < c->suspects; i++)
        print_suspect(c, &c->suspect[i], bold, out);
    if (c->suspects == 0 && !c->digest)
        fputs("  No object keeps more than a tenth of one of the heaps alive.\n", out);
}

static void print_class(const struct comparison *c, const struct comparison_row *row, FILE *out)
{
    char before[TEXT_SIZE_MAX], after[TEXT_SIZE_MAX];
    signed_text growth, retained = "";

    if (!c->digest)
        signed_size(comparison_growth(row->retained), retained);
    fprintf(out, "  %12s %11s %11s %+12" PRId64 " %12s  ", signed_size(comparison_growth(row->bytes), growth),
            text_format_size(row->bytes[0], before), text_format_size(row->bytes[1], after),
            comparison_growth(row->count), retained);
    report_put(out, row->name);
    fputs("\n", out);
}

static void print_classes(const struct comparison *c, unsigned top, FILE *out)
{
    const struct comparison_rows *rows = &c->classes;
    signed_text growth;
    size_t i;

    for (i = 0; i < rows->count && i < top && comparison_growth(rows->row[i].bytes) > 0; i++) {
        if (comparison_growth(rows->row[i].bytes) < comparison_growth(rows->row[0].bytes) / LITTLE)
            break;
        if (i == 0)
            fprintf(out, "  CLASSES      %11s %11s %12s %12s\n", "before", "after", "objects",
                    c->digest ? "" : "keep alive");
        print_class(c, &rows->row[i], out);
    }
    if (i == 0)
        fputs("  CLASSES    none takes more bytes than before\n", out);
    for (i = 0; i < rows->count && i < top / 2; i++) {
        const struct comparison_row *row = &rows->row[rows->count - 1 - i];

        if (comparison_growth(row->bytes) >= 0)
            break;
        fputs(i ? DOT : "  LESS       ", out);
        report_put(out, row->name);
        fprintf(out, " %s", signed_size(comparison_growth(row->bytes), growth));
    }
    if (i > 0)
        fputs("\n", out);
}

static const char *package_name(const struct comparison_row *row)
{
    return *row->name ? row->name : "(none)";
}

/* A package below it says the same. */
static bool is_above(const struct comparison_rows *rows, const struct comparison_row *row)
{
    int64_t most = comparison_growth(row->retained) / 10 * 9;
    size_t size = strlen(row->name);

    for (size_t i = 0; size > 0 && i < rows->count && comparison_growth(rows->row[i].retained) >= most; i++)
        if (text_starts(rows->row[i].name, row->name) && rows->row[i].name[size] == '.')
            return true;
    return false;
}

/* Packages and class loaders by what they keep alive, those that grew. */
static void print_rows(const struct comparison *c, const struct comparison_rows *rows, const char *title, unsigned top,
                       FILE *out)
{
    uint64_t least = (c->heap[0].bytes > c->heap[1].bytes ? c->heap[0].bytes : c->heap[1].bytes) / LITTLE;
    signed_text growth;
    unsigned shown = 0;

    for (size_t i = 0; i < rows->count && shown < top; i++) {
        const struct comparison_row *row = &rows->row[i];

        if (comparison_growth(row->retained) <= (int64_t)least)
            break;
        if (rows == &c->packages && is_above(rows, row))
            continue;
        if (shown++)
            fputs(DOT, out);
        else
            fprintf(out, "  %-10s ", title);
        if (rows == &c->loaders && row->count[0] != row->count[1])
            fprintf(out, "%" PRIu64 ARROW "%" PRIu64 " × ", row->count[0], row->count[1]);
        report_put(out, package_name(row));
        fprintf(out, " %s", signed_size(comparison_growth(row->retained), growth));
    }
    if (shown)
        fputs("\n", out);
}

void comparison_print(const struct comparison *c, unsigned top, bool bold, FILE *out)
{
    print_head(c, out);
    print_heap(c, out);
    print_suspects(c, bold, out);
    print_classes(c, top, out);
    print_rows(c, &c->packages, "PACKAGES", top, out);
    print_rows(c, &c->loaders, "LOADERS", top, out);
}
