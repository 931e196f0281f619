/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies inside the evidence: the record of a kill and class histograms as bars, texts as texts. Beginnings of
 * objects only, and of those what a page can bear.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "serve/class_histogram.h"
#include "serve/oom_record.h"
#include "serve/page_chart.h"
#include "serve/page_evidence.h"

enum { HISTOGRAM_SHOWN = 15, TASKS_SHOWN = 12, GLANCE_BYTES = 24 * 1024 };

static void write_heads(struct html *h, const char *const *names, unsigned count)
{
    html_begin(h, "thead");
    html_begin(h, "tr");
    for (unsigned i = 0; i < count; i++) {
        html_begin_class(h, "th", i > 0 && names[i] ? "number" : NULL);
        html_attr(h, "scope", "col");
        if (names[i])
            html_text(h, names[i]);
        else
            html_element(h, "span", "unseen", "As a bar");
        html_end(h);
    }
    html_end(h);
    html_end(h);
}

static void write_row_head(struct html *h, const char *text)
{
    html_begin(h, "th");
    html_attr(h, "scope", "row");
    html_text(h, text);
    html_end(h);
}

static void write_size_cell(struct html *h, uint64_t bytes)
{
    html_begin_class(h, "td", "number");
    page_size(h, bytes);
    html_end(h);
}

static void write_bar_cell(struct html *h, uint64_t part, uint64_t whole)
{
    html_begin_class(h, "td", "graph");
    page_chart_bar(h, part, whole);
    html_end(h);
}

static void begin_table(struct html *h, const char *caption)
{
    html_begin_class(h, "div", "scroll");
    html_begin_class(h, "table", "bars");
    html_element(h, "caption", NULL, caption);
}

static void write_tasks(struct html *h, const struct oom_record *r)
{
    static const char *const heads[] = {"Process", "Number", "Memory", NULL};
    unsigned shown = r->task_count < TASKS_SHOWN ? r->task_count : TASKS_SHOWN;

    if (shown == 0)
        return;
    begin_table(h, "Processes that the kernel chose from, the largest first");
    write_heads(h, heads, 4);
    html_begin(h, "tbody");
    for (unsigned i = 0; i < shown; i++) {
        const struct record_task *t = &r->task[i];

        html_begin_class(h, "tr", t->killed ? "chosen" : NULL);
        write_row_head(h, t->name);
        html_begin_class(h, "td", "number");
        html_printf(h, "%llu", (unsigned long long)t->pid);
        html_end(h);
        write_size_cell(h, t->rss);
        write_bar_cell(h, t->rss, r->task[0].rss);
        html_end(h);
    }
    html_end(h);
    html_end(h);
    html_end(h);
    if (r->tasks_total > shown) {
        html_begin_class(h, "p", "small muted");
        html_printf(h, "and %llu more", (unsigned long long)(r->tasks_total - shown));
        html_end(h);
    }
}

static void write_stats(struct html *h, const struct oom_record *r)
{
    static const char *const heads[] = {"Kind", "Memory", NULL};
    uint64_t whole = r->limit ? r->limit : r->usage;

    if (r->stat_count == 0)
        return;
    begin_table(h, r->limit ? "What the memory was, of the limit" : "What the memory was");
    write_heads(h, heads, 3);
    html_begin(h, "tbody");
    for (unsigned i = 0; i < r->stat_count; i++) {
        html_begin(h, "tr");
        write_row_head(h, r->stat[i].name);
        write_size_cell(h, r->stat[i].bytes);
        write_bar_cell(h, r->stat[i].bytes, whole);
        html_end(h);
    }
    html_end(h);
    html_end(h);
    html_end(h);
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
    size_t shown = g->count < most ? g->count : most;

    begin_table(h, "The largest first");
    write_heads(h, heads, 4);
    html_begin(h, "tbody");
    for (size_t i = 0; i < shown; i++) {
        html_begin(h, "tr");
        write_row_head(h, g->row[i].name);
        html_begin_class(h, "td", "number");
        html_printf(h, "%llu", (unsigned long long)g->row[i].instances);
        html_end(h);
        write_size_cell(h, g->row[i].bytes);
        write_bar_cell(h, g->row[i].bytes, g->row[0].bytes);
        html_end(h);
    }
    html_end(h);
    html_end(h);
    html_end(h);
}

static void write_histogram_links(struct html *h, const struct evidence *v, const struct manifest *m)
{
    CLEANUP(buf_done) struct buf url = {0}, compare = {0};

    if (evidence_url(v, m, &url) < 0 || buf_add_text(&compare, "/" REQUEST_OWN "compare") < 0 ||
        html_url_query(&compare, "b", v->id) < 0)
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
