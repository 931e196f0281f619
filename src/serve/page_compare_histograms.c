/* SPDX-License-Identifier: Apache-2.0
 *
 * Two class histograms, and what grew from one to the other.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/html_table.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/page_compare.h"

enum { CHANGES_SHOWN = 60 };

/* "+8.0 MiB"; nothing has no sign. */
static const char *signed_size(int64_t bytes, char out[TEXT_SIGNED_SIZE_MAX])
{
    return bytes == 0 ? text_format_size(0, out) : text_format_signed_size(bytes, "\xe2\x88\x92", out);
}

static void write_change(struct html_table *t, const struct histogram_change *c, uint64_t most)
{
    const struct histogram_row *const rows[] = {c->before, c->after};
    char text[TEXT_SIGNED_SIZE_MAX];

    html_table_row(t, NULL);
    html_table_head(t, (c->after ? c->after : c->before)->name);
    for (int i = 0; i < 2; i++)
        html_table_cell(t, rows[i] ? text_format_size(rows[i]->bytes, text) : "\xe2\x80\x93");
    html_table_cell(t, signed_size(c->bytes, text));
    snprintf(text, sizeof(text), "%+" PRId64, c->instances);
    html_table_cell(t, text);
    html_table_change(t, c->bytes, most);
    html_table_row_end(t);
}

void compared_histograms_write(struct html *h, const struct compared_histograms *c)
{
    const struct histogram_change *list = c->change;
    static const char *const heads[] = {"Class", "Before", "After", "Change", "Instances", NULL};
    struct html_table t = {h, heads, ARRAY_SIZE(heads), 0};

    html_begin(h, "section");
    html_element(h, "h2", NULL, "What changed");
    html_table_begin(&t, "Classes whose bytes differ, the largest difference first");
    for (size_t i = 0; i < c->count && i < CHANGES_SHOWN && list[i].bytes != 0; i++)
        write_change(&t, &list[i], (uint64_t)llabs(list[0].bytes));
    html_table_end(&t);
    html_end(h);
}

static int load(struct request *r, const struct evidence *v, struct histogram *ret, struct err *e)
{
    const struct manifest *m = evidence_find(v, "class-histogram");
    CLEANUP(preview_done) struct preview p = {0};
    int result;

    if (!m)
        return err_set(e, -FAULT_NO_OBJECT, "%s has no class histogram", v->id);
    if ((result = preview_load(r->serve, m, PREVIEW_MAX, &p, e)) < 0)
        return result;
    return histogram_read(buf_text(&p.text), p.text.size, ret) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
}

/* The sentence first: how much, and which class most of it. */
void compared_histograms_sentence(struct html *h, const struct compared_histograms *c, const struct evidence *v)
{
    const struct histogram_change *first = c->count > 0 ? &c->change[0] : NULL;
    int64_t bytes = (int64_t)c->histogram[1].bytes - (int64_t)c->histogram[0].bytes;
    const char *container = v->count > 0 ? v->object[0].where.container : NULL;
    char all[TEXT_SIGNED_SIZE_MAX], most[TEXT_SIGNED_SIZE_MAX];

    html_begin(h, "h1");
    html_text(h, container ? container : v->namespace);
    html_printf(h, ": %s", signed_size(bytes, all));
    if (first && first->bytes != 0) {
        html_text(h, ", most of all ");
        html_text(h, (first->after ? first->after : first->before)->name);
        html_printf(h, " with %s", signed_size(first->bytes, most));
    }
    html_text(h, ".");
    html_end(h);
}

int compared_histograms_load(struct request *r, struct evidence *const v[2], struct compared_histograms *ret,
                             struct err *e)
{
    struct compared_histograms c = {0};
    int result = 0;

    for (int i = 0; i < 2 && result == 0; i++)
        result = load(r, v[i], &c.histogram[i], e);
    if (result == 0 && histogram_compare(&c.histogram[0], &c.histogram[1], &c.change, &c.count) < 0)
        result = err_set(e, -ENOMEM, "out of memory");
    if (result < 0) {
        compared_histograms_done(&c);
        return result;
    }
    *ret = c;
    return 0;
}

void compared_histograms_done(struct compared_histograms *c)
{
    free(c->change);
    histogram_done(&c->histogram[0]);
    histogram_done(&c->histogram[1]);
    *c = (struct compared_histograms){0};
}
