/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies inside the evidence: the record of a kill and class histograms as bars, texts as texts. Beginnings of
 * objects only, and of those what a page can bear.
 */
#include <string.h>

#include "base/html_table.h"
#include "base/mem.h"
#include "base/text.h"
#include "hotspot/class_histogram.h"
#include "net/url.h"
#include "serve/oom_record.h"
#include "serve/page_evidence.h"

enum { HISTOGRAM_SHOWN = 15, TASKS_SHOWN = 12, GLANCE_BYTES = 24 * 1024 };

static void write_tasks(struct html *h, const struct oom_record *r)
{
    static const char *const heads[] = {"Process", "Number", "Memory", NULL};
    struct html_table t = {h, heads, ARRAY_SIZE(heads), 0};
    unsigned shown = r->task_count < TASKS_SHOWN ? r->task_count : TASKS_SHOWN;

    if (shown == 0)
        return;
    html_table_begin(&t, "Processes that the kernel chose from, the largest first");
    for (unsigned i = 0; i < shown; i++) {
        html_table_row(&t, r->task[i].killed ? "chosen" : NULL);
        html_table_head(&t, r->task[i].name);
        html_table_count(&t, r->task[i].pid);
        html_table_size(&t, r->task[i].rss);
        html_table_bar(&t, r->task[i].rss, r->task[0].rss);
        html_table_row_end(&t);
    }
    html_table_end(&t);
    if (r->tasks_total > shown) {
        html_begin_class(h, "p", "small muted");
        html_printf(h, "and %llu more", (unsigned long long)(r->tasks_total - shown));
        html_end(h);
    }
}

static void write_stats(struct html *h, const struct oom_record *r)
{
    static const char *const heads[] = {"Kind", "Memory", NULL};
    struct html_table t = {h, heads, ARRAY_SIZE(heads), 0};

    if (r->stat_count == 0)
        return;
    html_table_begin(&t, r->limit ? "What the memory was, of the limit" : "What the memory was");
    for (unsigned i = 0; i < r->stat_count; i++) {
        html_table_row(&t, NULL);
        html_table_head(&t, r->stat[i].name);
        html_table_size(&t, r->stat[i].bytes);
        html_table_bar(&t, r->stat[i].bytes, r->limit ? r->limit : r->usage);
        html_table_row_end(&t);
    }
    html_table_end(&t);
}

void evidence_record(struct html *h, const struct evidence *v)
{
    CLEANUP_FREE struct oom_record *r = calloc(1, sizeof(*r));

    if (!r || v->record.size == 0)
        return;
    oom_record_read(v->record.data, v->record.size, r);
    if (!r->known)
        return;
    html_begin(h, "section");
    html_element(h, "h2", NULL, "The kernel's kill");
    if (r->limit) {
        html_begin(h, "p");
        page_size(h, r->usage);
        html_text(h, " in use, of a limit of ");
        page_size(h, r->limit);
        if (r->failcnt)
            html_printf(h, "; the limit was hit %llu times", (unsigned long long)r->failcnt);
        html_text(h, ".");
        html_end(h);
    }
    if (*r->note)
        html_element(h, "p", "small muted", r->note);
    write_tasks(h, r);
    write_stats(h, r);
    html_end(h);
}

/* Says in its place that something can't be shown. */
static void write_failure(struct html *h, const struct err *e)
{
    html_begin_class(h, "p", "note");
    html_text(h, "This can't be shown now: ");
    html_text(h, e->msg);
    html_end(h);
}

static void write_histogram(struct html *h, const struct histogram *g, size_t most)
{
    static const char *const heads[] = {"Class", "Instances", "Bytes", NULL};
    struct html_table t = {h, heads, ARRAY_SIZE(heads), 0};

    html_table_begin(&t, "The largest first");
    for (size_t i = 0; i < g->count && i < most; i++) {
        html_table_row(&t, NULL);
        html_table_head(&t, g->row[i].name);
        html_table_count(&t, g->row[i].instances);
        html_table_size(&t, g->row[i].bytes);
        html_table_bar(&t, g->row[i].bytes, g->row[0].bytes);
        html_table_row_end(&t);
    }
    html_table_end(&t);
}

static void write_histogram_links(struct html *h, const struct evidence *v, const struct manifest *m)
{
    CLEANUP(buf_done) struct buf url = {0}, compare = {0};

    if (evidence_url(v, m, &url) < 0 || buf_add_text(&compare, "/" REQUEST_OWN "compare") < 0 ||
        url_add_query(&compare, "b", v->id) < 0)
        return;
    html_begin_class(h, "p", "pages");
    html_link(h, buf_text(&url), "All classes");
    html_link(h, buf_text(&compare), "Compare with another case");
    html_end(h);
}

void evidence_histogram(struct html *h, struct serve *s, const struct evidence *v)
{
    const struct manifest *m = evidence_find(v, "class-histogram");
    CLEANUP(preview_done) struct preview p = {0};
    CLEANUP(histogram_done) struct histogram g = {0};
    struct err e = {0};
    int r;

    if (!m)
        return;
    html_begin(h, "section");
    html_element(h, "h2", NULL, "Class histogram");
    if ((r = preview_load(s, m, PREVIEW_MAX, &p, &e)) == 0)
        r = histogram_read(buf_text(&p.text), p.text.size, &g);
    if (r < 0) {
        write_failure(h, &e);
    } else if (g.count == 0) {
        html_element(h, "p", "note", "The file has no line of a class histogram.");
    } else {
        html_begin(h, "p");
        html_printf(h, "%llu instances of %zu classes, ", (unsigned long long)g.instances, g.count);
        page_size(h, g.bytes);
        html_text(h, ".");
        html_end(h);
        write_histogram(h, &g, HISTOGRAM_SHOWN);
        write_histogram_links(h, v, m);
    }
    html_end(h);
}

static void write_search(struct html *h, const struct evidence *v, const struct manifest *m, const char *q)
{
    CLEANUP(buf_done) struct buf url = {0};

    if (evidence_url(v, NULL, &url) < 0)
        return;
    html_begin_class(h, "form", "find");
    html_attr(h, "method", "get");
    html_attr(h, "action", buf_text(&url));
    html_attr(h, "role", "search");
    html_attr(h, "aria-label", text_base_name(m->key));
    html_void(h, "input");
    html_attr(h, "type", "hidden");
    html_attr(h, "name", "show");
    html_attr(h, "value", text_base_name(m->key));
    html_begin(h, "div");
    html_begin(h, "label");
    html_attr(h, "for", m->id);
    html_text(h, "Search in it");
    html_end(h);
    html_void(h, "input");
    html_attr(h, "id", m->id);
    html_attr(h, "type", "search");
    html_attr(h, "name", "q");
    html_attr(h, "value", q);
    html_end(h);
    html_element(h, "button", NULL, "Search");
    html_end(h);
}

void evidence_text(struct html *h, struct serve *s, const struct evidence *v, const struct manifest *m)
{
    CLEANUP(preview_done) struct preview p = {0};
    CLEANUP(buf_done) struct buf url = {0};
    struct err e = {0};

    html_begin(h, "section");
    html_element(h, "h2", NULL, why_kind(m->kind));
    if (preview_load(s, m, GLANCE_BYTES, &p, &e) < 0) {
        write_failure(h, &e);
    } else if (evidence_url(v, m, &url) == 0) {
        write_search(h, v, m, NULL);
        html_begin(h, "pre");
        html_attr(h, "tabindex", "0");
        html_attr(h, "aria-label", text_base_name(m->key));
        html_text_bytes(h, buf_text(&p.text), p.text.size);
        html_end(h);
        html_begin_class(h, "p", "pages");
        html_link(h, buf_text(&url), p.cut ? "All of it: this is the beginning" : "On a page of its own");
        html_end(h);
    }
    html_end(h);
}
