/* SPDX-License-Identifier: Apache-2.0
 *
 * /-/compare: two cases, and what grew from one to the other: their heaps by what was found out about them, else
 * their class histograms. Without a choice: which there are.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "place/workload.h"
#include "serve/page_compare.h"
#include "ship/case_facts.h"

enum { CHOICES_MAX = 200 };

struct choice {
    char *id, *text; /* owned */
    int64_t time_ns;
};

struct choices {
    struct choice item[CHOICES_MAX]; /* the newest first */
    unsigned count;
    bool heaps; /* what is added must have a heap dump */
};

static void choices_done(struct choices *c)
{
    for (unsigned i = 0; i < c->count; i++) {
        free(c->item[i].id);
        free(c->item[i].text);
    }
    c->count = 0;
}

/* Cases of which only words say that they have a heap dump are left out. */
static bool fits(const struct choices *c, const struct case_row *row)
{
    if (c->heaps && case_rank(row->kind) < case_rank("heap-dump"))
        return false;
    for (unsigned i = 0; i < c->count; i++)
        if (text_eq(c->item[i].id, row->id))
            return false;
    return c->count < CHOICES_MAX;
}

static int add_choice(void *ctx, const struct case_row *row)
{
    struct choices *c = ctx;
    struct choice *one = &c->item[c->count];
    char when[CLOCK_TEXT_MAX];

    if (!fits(c, row))
        return 0;
    clock_format(row->time_ns, when);
    one->time_ns = row->time_ns;
    if (!(one->id = strdup(row->id)))
        return -ENOMEM;
    if (asprintf(&one->text, "%.10s %.8s, %s", when, when + strlen("2026-11-21T"), row->pod ? row->pod : row->id) < 0) {
        free(one->id);
        return -ENOMEM;
    }
    c->count++;
    return 0;
}

static int newest_first(const void *a, const void *b)
{
    const struct choice *x = a, *y = b;

    return x->time_ns != y->time_ns ? (x->time_ns > y->time_ns ? -1 : 1) : strcmp(y->id, x->id);
}

/* Cases with a heap dump or a histogram: of what `like` has, and of its workload; or of any. */
static int find_choices(struct request *r, const struct page_scope *s, const struct evidence *like, struct choices *ret,
                        struct err *e)
{
    const char *pod = like && like->count > 0 ? like->object[0].where.pod : NULL;
    static const char *const kinds[] = {"heap-dump", "class-histogram"};
    char workload[WORKLOAD_MAX];
    struct catalogue_query q = {
        .visible = page_scope_visible(s),
        .namespace = like ? like->namespace : NULL,
        .workload = pod ? workload_of_pod(pod, workload) : NULL,
        .limit = CHOICES_MAX / ARRAY_SIZE(kinds),
    };
    int result = 0;

    for (size_t k = 0; k < ARRAY_SIZE(kinds) && result == 0; k++) {
        if (like && !evidence_find(like, kinds[k]))
            continue;
        q.text = kinds[k];
        ret->heaps = k == 0;
        result = catalogue_find(r->serve->catalogue, &q, add_choice, ret, e);
    }
    if (ret->count > 1)
        qsort(ret->item, ret->count, sizeof(*ret->item), newest_first);
    return result;
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
        html_element(h, "h2", NULL,
                     c->count ? "Nothing else of this workload to compare with" : "Nothing to compare yet");
        html_element(h, "p", NULL,
                     "Heap dumps are compared once they have a digest or an analysis. Class histograms come with what "
                     "is taken before a pod stops or a limit is reached (salvage jvm prestop, salvage guard). With two "
                     "of a kind, what grew can be seen here.");
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

static void write_heaps(struct html *h, const struct compared_heaps *c, struct evidence *const v[2],
                        const struct choices *choices)
{
    html_begin_class(h, "div", "hero");
    html_begin(h, "h1");
    comparison_html_sentence(h, &c->comparison);
    html_text(h, ".");
    html_end(h);
    html_end(h);
    write_form(h, choices, v[0]->id, v[1]->id);
    html_begin_class(h, "div", "analysis-sections");
    html_begin(h, "section");
    comparison_html_facts(h, &c->comparison);
    html_end(h);
    comparison_html_sections(h, &c->comparison);
    html_end(h);
}

/* Heaps of which nothing is known: why, and the choice. */
static void write_trouble(struct html *h, const struct compared_heaps *c, struct evidence *const v[2],
                          const struct choices *choices)
{
    html_element(h, "h1", NULL, "Compare");
    html_begin_class(h, "p", "note");
    html_text(h, "These can't be compared now: ");
    html_text(h, c->trouble.msg);
    html_text(h, ".");
    html_end(h);
    write_form(h, choices, v[0]->id, v[1]->id);
}

static void write_choice_page(struct html *h, struct evidence *const v[2], const struct choices *c)
{
    html_element(h, "h1", NULL, "Compare");
    html_element(h, "p", "lead", "Two heaps, or two class histograms, of one workload, and what grew between them.");
    write_form(h, c, NULL, v[1] ? v[1]->id : NULL);
}
/* Opens a case whose inside the caller may see. */
static int open_case(struct request *r, const char *id, struct evidence **ret)
{
    int result = evidence_open(r, id, ret);

    if (result < 0)
        return result;
    return request_may(r, RIGHT_READ) ? 0 : -ECANCELED;
}

static void answer_heaps(struct request *r, struct evidence *const v[2], const struct choices *c,
                         const struct compared_heaps *heaps)
{
    struct page p;

    page_begin_heap(&p, r, "Compare");
    if (heaps->known)
        write_heaps(&p.html, heaps, v, c);
    else
        write_trouble(&p.html, heaps, v, c);
    page_end(&p, 200);
}

static void answer_histograms(struct request *r, struct evidence *const v[2], const struct choices *c)
{
    CLEANUP(compared_histograms_done) struct compared_histograms histograms = {0};
    struct page p;
    struct err e = {0};
    int result = compared_histograms_load(r, v, &histograms, &e);

    if (result < 0) {
        request_fail(r, result, &e);
        return;
    }
    page_begin(&p, r, "Compare", "/" REQUEST_OWN "compare");
    html_begin_class(&p.html, "div", "hero");
    compared_histograms_sentence(&p.html, &histograms, v[1]);
    html_end(&p.html);
    write_form(&p.html, c, v[0]->id, v[1]->id);
    compared_histograms_write(&p.html, &histograms);
    page_end(&p, 200);
}

/* Heaps first: they say more. */
static void answer(struct request *r, struct evidence *const v[2], const struct choices *c)
{
    CLEANUP(compared_heaps_done) struct compared_heaps heaps = {0};
    struct page p;

    if (!v[0] || !v[1]) {
        page_begin(&p, r, "Compare", "/" REQUEST_OWN "compare");
        write_choice_page(&p.html, v, c);
        page_end(&p, 200);
        return;
    }
    compared_heaps_load(r, v, &heaps);
    if (heaps.known ||
        (*heaps.trouble.msg && !(evidence_find(v[0], "class-histogram") && evidence_find(v[1], "class-histogram"))))
        answer_heaps(r, v, c, &heaps);
    else
        answer_histograms(r, v, c);
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
