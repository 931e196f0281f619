/* SPDX-License-Identifier: Apache-2.0
 *
 * Classes with most bytes, of a histogram or a heap snapshot; what grew between two histograms.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "hotspot/class_histogram.h"
#include "hprof/heap_snapshot.h"
#include "inspect/evidence_parts.h"
#include "inspect/report_parts.h"
#include "ship/content.h"

/* "# salvage: REASON" (ship/content.h) */
static void taken_early(struct evidence_writer *w, const char *text, size_t size)
{
    const char *end = memchr(text, '\n', size);
    size_t words = strlen(CONTENT_TAKEN);
    char reason[256];

    if (!end || (size_t)(end - text) <= words || memcmp(text, CONTENT_TAKEN, words) != 0)
        return;
    snprintf(reason, sizeof(reason), "%.*s", (int)((size_t)(end - text) - words), text + words);
    evidence_fact(w, "taken", "TAKEN", reason);
}

int histogram_report(struct evidence_writer *w, const void *data, size_t size)
{
    CLEANUP(histogram_done) struct histogram h = {0};
    CLEANUP_FREE struct summary_row *rows = NULL;
    struct summary summary = {0};
    int r = histogram_summary(data, size, &summary);

    if (r < 0 || (r = histogram_read(data, size, &h)) < 0)
        return r;
    if (!(rows = calloc(h.count, sizeof(*rows))))
        return -ENOMEM;
    for (size_t i = 0; i < h.count; i++) {
        rows[i].count = h.row[i].instances;
        rows[i].bytes = h.row[i].bytes;
        snprintf(rows[i].name, sizeof(rows[i].name), "%.*s", SUMMARY_NAME_MAX - 1, h.row[i].name);
    }
    evidence_end_title(w);
    evidence_sentence(w, summary.sentence);
    taken_early(w, data, size);
    evidence_field(w, "objects", report_number(h.instances));
    evidence_field(w, "bytes", report_number(h.bytes));
    evidence_classes(w, rows, h.count);
    return 0;
}

int snapshot_report(struct evidence_writer *w, const void *data, size_t size)
{
    CLEANUP_FREE struct summary_row *rows = calloc(HEAP_SNAPSHOT_ROWS_MAX, sizeof(*rows));
    struct heap_snapshot found = {0};
    char sentence[SUMMARY_SENTENCE_MAX];
    int r = rows ? heap_snapshot_read(data, size, rows, HEAP_SNAPSHOT_ROWS_MAX, &found) : -ENOMEM;

    if (r < 0)
        return r;
    heap_snapshot_sentence(&found, &rows[0], sentence);
    evidence_end_title(w);
    evidence_sentence(w, sentence);
    evidence_field(w, "objects", report_number(found.nodes));
    evidence_field(w, "bytes", report_number(found.bytes));
    evidence_classes(w, rows, found.count);
    return 0;
}

/* --- two ------------------------------------------------------------------------------------------------------------
 */

static json_t *whole(const struct histogram *h, const char *name)
{
    return json_pack("{so so so so}", "name", report_text(name), "objects", report_number(h->instances), "bytes",
                     report_number(h->bytes), "classes", report_number(h->count));
}

static json_t *row_json(const struct histogram_change *c)
{
    static const struct histogram_row none = {0};
    const struct histogram_row *before = c->before ? c->before : &none, *after = c->after ? c->after : &none;

    return json_pack("{so so so so so}", "class", report_text((c->after ? c->after : c->before)->name), "count_before",
                     report_number(before->instances), "count_after", report_number(after->instances), "bytes_before",
                     report_number(before->bytes), "bytes_after", report_number(after->bytes));
}

static void print_row(struct evidence_writer *w, const struct histogram_change *c, bool first)
{
    char by[TEXT_SIGNED_SIZE_MAX], before[TEXT_SIZE_MAX], after[TEXT_SIZE_MAX];

    evidence_line(
        w, first ? "CLASSES" : "", "%11s  %10s → %10s  %+11" PRId64 " objects  %s",
        text_format_signed_size(c->bytes, "-", by), text_format_size(c->before ? c->before->bytes : 0, before),
        text_format_size(c->after ? c->after->bytes : 0, after), c->instances, (c->after ? c->after : c->before)->name);
}

static void print_whole(struct evidence_writer *w, const struct histogram h[2])
{
    char before[TEXT_SIZE_MAX], after[TEXT_SIZE_MAX], by[TEXT_SIGNED_SIZE_MAX];

    evidence_line(w, "ALL", "%s → %s, %s · %" PRIu64 " → %" PRIu64 " objects · %zu → %zu classes",
                  text_format_size(h[0].bytes, before), text_format_size(h[1].bytes, after),
                  text_format_signed_size((int64_t)(h[1].bytes - h[0].bytes), "-", by), h[0].instances, h[1].instances,
                  h[0].count, h[1].count);
}

int histograms_report(struct evidence_writer *w, const struct histogram h[2], const char *const name[2])
{
    CLEANUP_FREE struct histogram_change *list = NULL;
    json_t *rows = json_array();
    size_t count = 0, changed = 0;
    int r = histogram_compare(&h[0], &h[1], &list, &count);
    char title[512];

    if (r < 0) {
        json_decref(rows);
        return r;
    }
    snprintf(title, sizeof(title), "%.200s → %.200s", name[0], name[1]);
    evidence_title(w, title);
    evidence_title(w, "Class histograms");
    evidence_end_title(w);
    print_whole(w, h);
    for (size_t i = 0; i < count; i++) {
        if (list[i].bytes == 0 && list[i].instances == 0)
            continue;
        json_array_append_new(rows, row_json(&list[i]));
        if (changed < w->view->top)
            print_row(w, &list[i], changed == 0);
        changed++;
    }
    evidence_field(w, "before", whole(&h[0], name[0]));
    evidence_field(w, "after", whole(&h[1], name[1]));
    evidence_field(w, "classes", rows);
    return 0;
}
