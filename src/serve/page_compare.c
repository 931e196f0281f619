/* SPDX-License-Identifier: Apache-2.0
 *
 * /-/compare: the class histograms of two cases, and what grew from one to the other. Without a choice: which there
 * are.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/html_table.h"
#include "base/mem.h"
#include "base/text.h"
#include "hotspot/class_histogram.h"
#include "place/workload.h"
#include "serve/page_evidence.h"

enum { CHOICES_MAX = 100, CHANGES_SHOWN = 60 };

struct choice {
    char *id, *text; /* owned */
};

struct choices {
    struct choice item[CHOICES_MAX]; /* the newest first */
    unsigned count;
};

static void choices_done(struct choices *c)
{
    for (unsigned i = 0; i < c->count; i++) {
        free(c->item[i].id);
        free(c->item[i].text);
    }
    c->count = 0;
}

static int add_choice(void *ctx, const struct case_row *row)
{
    struct choices *c = ctx;
    struct choice *one = &c->item[c->count];
    char when[CLOCK_TEXT_MAX];

    if (c->count == CHOICES_MAX)
        return 0;
    clock_format(row->time_ns, when);
    if (!(one->id = strdup(row->id)))
        return -ENOMEM;
    if (asprintf(&one->text, "%.10s %.8s, %s", when, when + strlen("2026-11-21T"), row->pod ? row->pod : row->id) < 0) {
        free(one->id);
        return -ENOMEM;
    }
    c->count++;
    return 0;
}

/* Cases with a histogram: of the workload of `like`, or of any. */
static int find_choices(struct request *r, const struct page_scope *s, const struct evidence *like, struct choices *ret,
                        struct err *e)
{
    const char *pod = like && like->count > 0 ? like->object[0].where.pod : NULL;
    char workload[WORKLOAD_MAX];
    struct catalogue_query q = {
        .visible = page_scope_visible(s),
        .namespace = like ? like->namespace : NULL,
        .workload = pod ? workload_of_pod(pod, workload) : NULL,
        .text = "class-histogram",
        .limit = CHOICES_MAX,
    };

    return catalogue_find(r->serve->catalogue, &q, add_choice, ret, e);
}

/* The case before this one; the one itself if there is none. */
static const char *before(const struct choices *c, const char *id)
{
    for (unsigned i = 0; i + 1 < c->count; i++)
        if (text_eq(c->item[i].id, id))
            return c->item[i + 1].id;
    return id;
}

static void write_choice(struct html *h, const struct choices *c, const char *name, const char *label,
                         const char *chosen)
{
    html_begin(h, "div");
    html_begin(h, "label");
    html_attr(h, "for", name);
    html_text(h, label);
    html_end(h);
    html_begin(h, "select");
    html_attr(h, "id", name);
    html_attr(h, "name", name);
    for (unsigned i = 0; i < c->count; i++) {
        html_begin(h, "option");
        html_attr(h, "value", c->item[i].id);
        if (text_eq(c->item[i].id, chosen))
            html_flag(h, "selected");
        html_text(h, c->item[i].text);
        html_end(h);
    }
    html_end(h);
    html_end(h);
}

static void write_form(struct html *h, const struct choices *c, const char *a, const char *b)
{
    if (c->count < 2) {
        html_begin_class(h, "div", "empty");
        html_element(h, "h2", NULL, c->count ? "Only one histogram of this workload" : "No histograms yet");
        html_element(h, "p", NULL,
                     "Class histograms come with what is taken before a pod stops or a limit is reached (salvage jvm "
                     "prestop, salvage guard). With two of them, what grew can be seen here.");
        html_end(h);
        return;
    }
    html_begin_class(h, "form", "pick");
    html_attr(h, "method", "get");
    html_attr(h, "action", "/" REQUEST_OWN "compare");
    write_choice(h, c, "a", "Before", a ? a : c->item[1].id);
    write_choice(h, c, "b", "After", b ? b : c->item[0].id);
    html_begin_class(h, "button", "primary");
    html_text(h, "Compare");
    html_end(h);
    html_end(h);
}

/* "+8.0 MiB" */
static const char *signed_size(int64_t bytes, char out[TEXT_SIZE_MAX + 4])
{
    char size[TEXT_SIZE_MAX];

    text_format_size((uint64_t)llabs(bytes), size);
    snprintf(out, TEXT_SIZE_MAX + 4, "%s%s", bytes < 0 ? "\xe2\x88\x92" : bytes > 0 ? "+" : "", size);
    return out;
}

static void write_change(struct html_table *t, const struct histogram_change *c, uint64_t most)
{
    const struct histogram_row *const rows[] = {c->before, c->after};
    char text[TEXT_SIZE_MAX + 4];

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

static void write_changes(struct html *h, const struct histogram_change *list, size_t count)
{
    static const char *const heads[] = {"Class", "Before", "After", "Change", "Instances", NULL};
    struct html_table t = {h, heads, ARRAY_SIZE(heads), 0};

    html_table_begin(&t, "Classes whose bytes differ, the largest difference first");
    for (size_t i = 0; i < count && i < CHANGES_SHOWN && list[i].bytes != 0; i++)
        write_change(&t, &list[i], (uint64_t)llabs(list[0].bytes));
    html_table_end(&t);
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
static void write_sum(struct html *h, const struct evidence *v, const struct histogram both[2],
                      const struct histogram_change *first)
{
    int64_t bytes = (int64_t)both[1].bytes - (int64_t)both[0].bytes;
    const char *container = v->count > 0 ? v->object[0].where.container : NULL;
    char all[TEXT_SIZE_MAX + 4], most[TEXT_SIZE_MAX + 4];

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

static int write_comparison(struct page *p, struct evidence *const v[2], const struct choices *c, struct err *e)
{
    struct html *h = &p->html;
    struct histogram both[2] = {{0}};
    CLEANUP_FREE struct histogram_change *list = NULL;
    size_t count = 0;
    int r = 0;

    for (int i = 0; i < 2 && r == 0; i++)
        r = load(p->request, v[i], &both[i], e);
    if (r == 0 && histogram_compare(&both[0], &both[1], &list, &count) < 0)
        r = err_set(e, -ENOMEM, "out of memory");
    if (r == 0) {
        html_begin_class(h, "div", "hero");
        write_sum(h, v[1], both, count > 0 ? &list[0] : NULL);
        html_end(h);
        write_form(h, c, v[0]->id, v[1]->id);
        html_begin(h, "section");
        html_element(h, "h2", NULL, "What changed");
        write_changes(h, list, count);
        html_end(h);
    }
    histogram_done(&both[0]);
    histogram_done(&both[1]);
    return r;
}

static int write_page(struct page *p, struct evidence *const v[2], const struct choices *c, struct err *e)
{
    if (v[0] && v[1])
        return write_comparison(p, v, c, e);
    html_element(&p->html, "h1", NULL, "Compare");
    html_element(&p->html, "p", "lead", "Two class histograms of one workload, and what grew between them.");
    write_form(&p->html, c, NULL, v[1] ? v[1]->id : NULL);
    return 0;
}

/* Opens a case whose inside the caller may see. */
static int open_case(struct request *r, const char *id, struct evidence **ret)
{
    int result = evidence_open(r, id, ret);

    if (result < 0)
        return result;
    return request_may(r, RIGHT_READ) ? 0 : -ECANCELED;
}

static void answer(struct request *r, struct evidence *const v[2], const struct choices *c)
{
    struct page p;
    struct err e = {0};
    int result;

    page_begin(&p, r, "Compare", "/" REQUEST_OWN "compare");
    result = write_page(&p, v, c, &e);
    if (result < 0) {
        html_done(&p.html);
        request_fail(r, result, &e);
        return;
    }
    page_end(&p, 200);
}

void page_compare(struct request *r)
{
    CLEANUP(page_scope_done) struct page_scope scope = {0};
    CLEANUP(choices_done) struct choices choices = {0};
    const char *a = exchange_query(r->exchange, "a"), *b = exchange_query(r->exchange, "b");
    struct evidence *v[2] = {NULL, NULL};
    struct err e = {0};
    int result = page_scope_init(&scope, r);

    if (result == 0 && b && *b)
        result = open_case(r, b, &v[1]);
    if (result == 0 && (result = find_choices(r, &scope, v[1], &choices, &e)) < 0) {
        request_fail(r, result, &e);
        result = -ECANCELED;
    }
    if (result == 0 && v[1] && !(a && *a))
        a = before(&choices, b);
    if (result == 0 && v[1] && !text_eq(a, b))
        result = open_case(r, a, &v[0]);
    if (result == 0)
        answer(r, v, &choices);
    evidence_free(v[0]);
    evidence_free(v[1]);
}
