/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables as those of an analysis, which has the numbers that a digest has not.
 */
#include "inspect/digest_html.h"

#include <inttypes.h>

#include "base/html_table.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/analysis.h"

enum { CLASSES_SHOWN = 20 };

bool digest_known(const json_t *d)
{
    return text_eq(analysis_text(d, "schema"), "salvage.digest/1");
}

static void write_more(struct html *h, uint64_t more)
{
    if (more == 0)
        return;
    html_begin_class(h, "p", "small muted");
    html_printf(h, "and %" PRIu64 " more", more);
    html_end(h);
}

static void write_totals(struct html *h, const json_t *d)
{
    char size[TEXT_SIZE_MAX];

    html_begin(h, "p");
    html_printf(h, "%s in %" PRIu64 " objects, reachable or not.", text_format_size(analysis_number(d, "bytes"), size),
                analysis_number(d, "objects"));
    html_end(h);
    if (*analysis_text(d, "partial")) {
        html_begin_class(h, "p", "note");
        html_printf(h, "Not all of the heap was seen: %s", analysis_text(d, "partial"));
        html_end(h);
    }
}

void digest_html_classes(struct html *h, const json_t *d)
{
    static const char *const heads[] = {"Class", "Objects", "Own size", NULL};
    struct html_table t = {h, heads, ARRAY_SIZE(heads), 0};
    const json_t *rows = json_object_get(d, "classes");
    size_t count = json_array_size(rows);

    if (count == 0)
        return;
    html_begin(h, "section");
    html_element(h, "h2", NULL, "What fills the heap");
    write_totals(h, d);
    html_table_begin(&t, "Classes, those whose instances take most memory first");
    for (size_t i = 0; i < count && i < CLASSES_SHOWN; i++) {
        const json_t *row = json_array_get(rows, i);

        html_table_row(&t, NULL);
        html_table_head(&t, analysis_text(row, "class"));
        html_table_count(&t, analysis_number(row, "count"));
        html_table_size(&t, analysis_number(row, "bytes"));
        html_table_bar(&t, analysis_number(row, "bytes"), analysis_number(d, "bytes"));
        html_table_row_end(&t);
    }
    html_table_end(&t);
    write_more(h, (count > CLASSES_SHOWN ? count - CLASSES_SHOWN : 0) + analysis_number(d, "classes_left_out"));
    html_end(h);
}

/* A stream has no names. */
static void write_name(struct html *h, const json_t *thread)
{
    html_begin_class(h, "span", "name");
    if (*analysis_text(thread, "name"))
        html_text(h, analysis_text(thread, "name"));
    else
        html_printf(h, "thread %" PRIu64, analysis_number(thread, "serial"));
    html_end(h);
}

static void write_thread(struct html *h, const json_t *thread)
{
    const json_t *frames = json_object_get(thread, "frames");
    bool victim = json_is_true(json_object_get(thread, "out_of_memory")), stack = json_array_size(frames) > 0;

    html_begin_class(h, stack ? "details" : "div", victim ? "thread victim" : "thread");
    if (victim && stack)
        html_flag(h, "open");
    html_begin(h, stack ? "summary" : "p");
    write_name(h, thread);
    if (victim)
        html_element(h, "span", "share", "ran out of memory");
    html_end(h);
    if (stack)
        analysis_html_frames(h, frames);
    html_end(h);
}

void digest_html_threads(struct html *h, const json_t *d)
{
    const json_t *threads = json_object_get(d, "threads");
    size_t count = json_array_size(threads);

    if (count == 0)
        return;
    html_begin(h, "section");
    html_element(h, "h2", NULL, "Threads");
    for (size_t i = 0; i < count && i < ANALYSIS_ROWS; i++)
        write_thread(h, json_array_get(threads, i));
    write_more(h, (count > ANALYSIS_ROWS ? count - ANALYSIS_ROWS : 0) + analysis_number(d, "threads_left_out"));
    html_end(h);
}

static void write_arrays(struct html *h, const json_t *rows)
{
    static const char *const heads[] = {"Array", "Elements", "Size", NULL};
    struct html_table t = {h, heads, ARRAY_SIZE(heads), 0};
    uint64_t most = analysis_number(json_array_get(rows, 0), "bytes");

    if (json_array_size(rows) == 0)
        return;
    html_table_begin(&t, "The largest arrays");
    for (size_t i = 0; i < json_array_size(rows) && i < ANALYSIS_ROWS; i++) {
        const json_t *row = json_array_get(rows, i);

        html_table_row(&t, NULL);
        html_table_head(&t, analysis_text(row, "class"));
        html_table_count(&t, analysis_number(row, "length"));
        html_table_size(&t, analysis_number(row, "bytes"));
        html_table_bar(&t, analysis_number(row, "bytes"), most);
        html_table_row_end(&t);
    }
    html_table_end(&t);
}

static void write_repeated(struct html *h, const json_t *rows)
{
    static const char *const heads[] = {"Beginning", "Bytes each", "About how often", NULL};
    struct html_table t = {h, heads, ARRAY_SIZE(heads), 0};
    uint64_t most = analysis_number(json_array_get(rows, 0), "about");

    if (json_array_size(rows) == 0)
        return;
    html_table_begin(&t, "Contents of small arrays that are there many times");
    for (size_t i = 0; i < json_array_size(rows) && i < ANALYSIS_ROWS; i++) {
        const json_t *row = json_array_get(rows, i);
        const char *text = analysis_text(row, "text");

        html_table_row(&t, NULL);
        html_table_head_begin(&t);
        if (*text)
            html_printf(h, "\"%s\"", text);
        else
            html_printf(h, "%s %s", analysis_text(row, "class"), analysis_text(row, "hex"));
        html_end(h);
        html_table_count(&t, analysis_number(row, "size"));
        html_table_count(&t, analysis_number(row, "about"));
        html_table_bar(&t, analysis_number(row, "about"), most);
        html_table_row_end(&t);
    }
    html_table_end(&t);
}

void digest_html_contents(struct html *h, const json_t *d)
{
    const json_t *arrays = json_object_get(d, "largest_arrays"),
                 *contents = json_object_get(json_object_get(d, "repeated"), "contents");

    if (json_array_size(arrays) + json_array_size(contents) == 0)
        return;
    html_begin(h, "section");
    html_element(h, "h2", NULL, "Arrays");
    write_arrays(h, arrays);
    write_repeated(h, contents);
    html_end(h);
}
