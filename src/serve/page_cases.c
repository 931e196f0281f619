/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of cases. A table whose rows become paragraphs on a phone: roles are given, because browsers forget them
 * then.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"
#include "serve/page_chart.h"
#include "serve/page_filter.h"
#include "ship/why.h"

enum { ROWS = 50 };

#define TEXT(borrowed) ((char *)(borrowed)) /* for a manifest that frees nothing */

struct list {
    struct html *h;
    const struct page_filter *filter;
    unsigned count;
    char *cursor; /* of the last row that is shown; owned */
    bool more;
};

static void write_tag(struct html *h, const char *text)
{
    if (text && *text)
        html_element(h, "span", "tag", text);
}

/* The cases of a loop, each in a row. */
static void write_folded(struct html *h, const struct case_row *row)
{
    CLEANUP(buf_done) struct buf url = {0};
    struct page_filter f = {.value = {[FILTER_NAMESPACE] = row->namespace,
                                      [FILTER_CAUSE] = row->cause,
                                      [FILTER_WORKLOAD] = row->workload,
                                      [FILTER_LOOPS] = "apart"}};
    char text[64];

    if (row->folded == 0 || page_filter_url(&f, FILTER_FIELDS, &url) < 0)
        return;
    snprintf(text, sizeof(text), "and %u more like this", row->folded);
    if (row->suspects > 1)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), ", %u suspects", row->suspects);
    html_begin_class(h, "a", "tag");
    html_attr(h, "href", buf_text(&url));
    html_text(h, text);
    html_end(h);
}

static void write_what(struct html *h, const struct case_row *row)
{
    CLEANUP(buf_done) struct buf url = {0};
    const struct manifest m = {.cause = TEXT(row->cause),
                               .kind = TEXT(row->kind),
                               .origin.detail = TEXT(row->detail),
                               .where = {.container = TEXT(row->container), .pod = TEXT(row->pod)}};
    char sentence[WHY_MAX];

    if (buf_add_text(&url, "/" REQUEST_OWN "case/") < 0 || url_add_path(&url, row->id) < 0)
        return;
    html_begin_class(h, "td", "what");
    html_attr(h, "role", "cell");
    html_link(h, buf_text(&url), why_sentence(&m, sentence));
    html_begin_class(h, "div", "tags");
    write_tag(h, row->cause);
    write_tag(h, row->partial ? "partial" : NULL);
    write_tag(h, row->pinned ? "pinned" : NULL);
    write_folded(h, row);
    html_end(h);
    html_end(h);
}

static void write_where(struct html *h, const struct case_row *row)
{
    const char *name = row->workload ? row->workload : row->pod;

    html_begin_class(h, "td", "where");
    html_attr(h, "role", "cell");
    html_element(h, "div", NULL, name);
    html_begin_class(h, "div", "small muted");
    html_text(h, row->namespace);
    if (row->pod && !text_eq(row->pod, name)) {
        html_text(h, row->namespace && *row->namespace ? " / " : "");
        html_text(h, row->pod);
    }
    html_end(h);
    html_end(h);
}

/* What holds the memory, as the analysis says; without one the class that stands out. A link to all others like it. */
static void write_suspect(struct html *h, const struct case_row *row)
{
    CLEANUP(buf_done) struct buf url = {0};
    const char *suspect = row->suspect ? row->suspect : row->class;
    const struct page_filter f = {.value = {[FILTER_SUSPECT] = suspect, [FILTER_LOOPS] = "apart"}};

    html_begin_class(h, "td", "suspected");
    html_attr(h, "role", "cell");
    if (suspect && page_filter_url(&f, FILTER_FIELDS, &url) == 0) {
        if (!row->suspect)
            html_element(h, "span", "small muted", "mostly ");
        html_begin(h, "a");
        html_attr(h, "href", buf_text(&url));
        html_text(h, suspect);
        html_end(h);
    }
    html_end(h);
}

static int write_row(void *ctx, const struct case_row *row)
{
    struct list *l = ctx;
    struct html *h = l->h;

    if (l->count == ROWS) {
        l->more = true;
        return 0;
    }
    l->count++;
    free(l->cursor);
    if (!(l->cursor = strdup(row->cursor ? row->cursor : row->id)))
        return -ENOMEM;
    html_begin(h, "tr");
    html_attr(h, "role", "row");
    html_attr(h, "data-id", row->id);
    write_what(h, row);
    write_suspect(h, row);
    write_where(h, row);
    html_begin_class(h, "td", "when");
    html_attr(h, "role", "cell");
    page_age(h, row->time_ns);
    html_end(h);
    html_begin_class(h, "td", "number");
    html_attr(h, "role", "cell");
    page_size(h, row->stored_size);
    html_end(h);
    html_end(h);
    return h->failed;
}

static void write_empty(struct html *h, const struct request *r, const struct page_filter *f)
{
    CLEANUP(buf_done) struct buf line = {0}, origin = {0};

    html_begin_class(h, "div", "empty");
    if (f->any || f->after) {
        html_element(h, "h2", NULL, "No case matches");
        html_begin(h, "p");
        html_text(h, "Widen the search, or see ");
        html_link(h, "/" REQUEST_OWN "cases", "all cases");
        html_text(h, ".");
        html_end(h);
    } else if (page_origin(r->exchange, &origin) == 0 &&
               buf_printf(&line, "salvage watch /dumps --to %s/", buf_text(&origin)) == 0) {
        html_element(h, "h2", NULL, "No cases yet");
        html_element(h, "p", NULL,
                     "Let a sidecar watch the folder that your application writes its dumps to; what appears there "
                     "shows here:");
        page_copy(h, buf_text(&line));
        html_begin(h, "p");
        html_text(h, "Or ship a file by hand: ");
        html_begin(h, "code");
        html_printf(h, "salvage ship heap.hprof --to %s/", buf_text(&origin));
        html_end(h);
        html_end(h);
        html_begin(h, "p");
        html_text(h, "Both need a token of this server that may write, in ");
        html_element(h, "code", NULL, "SALVAGE_HTTP_TOKEN");
        html_text(h, " or in a file that ");
        html_element(h, "code", NULL, "SALVAGE_TOKEN_FILE");
        html_text(h, " names.");
        html_end(h);
    }
    html_end(h);
}

static void begin_table(struct html *h)
{
    static const char *const names[] = {"What died, and why", "Suspect", "Where", "When", "Stored"};

    html_begin(h, "table");
    html_attr(h, "role", "table");
    html_attr(h, "aria-label", "Cases, the newest first");
    html_begin(h, "thead");
    html_attr(h, "role", "rowgroup");
    html_begin(h, "tr");
    html_attr(h, "role", "row");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        html_begin_class(h, "th", i == 4 ? "number" : NULL);
        html_attr(h, "scope", "col");
        html_attr(h, "role", "columnheader");
        html_text(h, names[i]);
        html_end(h);
    }
    html_end(h);
    html_end(h);
    html_begin(h, "tbody");
    html_attr(h, "role", "rowgroup");
}

static int write_pages(struct html *h, const struct list *l)
{
    CLEANUP(buf_done) struct buf newest = {0}, older = {0};
    int r;

    if (!l->more && !l->filter->after)
        return 0;
    if ((r = page_filter_url(l->filter, FILTER_FIELDS, &newest)) < 0 ||
        (r = page_filter_url(l->filter, FILTER_FIELDS, &older)) < 0 ||
        (r = url_add_query(&older, "after", l->cursor)) < 0)
        return r;
    html_begin_class(h, "nav", "pages");
    html_attr(h, "aria-label", "More cases");
    if (l->filter->after)
        html_link(h, buf_text(&newest), "The newest");
    else
        html_element(h, "span", NULL, "");
    if (l->more)
        html_link(h, buf_text(&older), "Older");
    html_end(h);
    return 0;
}

/* The rows first: a table without any is not shown. */
static int write_list(struct html *h, struct request *r, const struct page_filter *f, struct catalogue_query *q,
                      struct err *e)
{
    CLEANUP(html_done) struct html rows = {0};
    CLEANUP_FREE char *cursor = NULL;
    struct list l = {.h = &rows, .filter = f};
    uint64_t version = catalogue_version(r->serve->catalogue, 0, 0);
    int result;

    q->limit = ROWS + 1;
    result = catalogue_find(r->serve->catalogue, q, write_row, &l, e);
    cursor = l.cursor;
    if (result < 0)
        return result;
    html_begin(h, "div");
    html_attr(h, "id", "cases");
    html_attr(h, "class", "cases");
    if (!f->after)
        html_attr_number(h, "data-live", version);
    if (l.count == 0) {
        write_empty(h, r, f);
    } else {
        begin_table(h);
        html_add(h, &rows);
        html_end(h);
        html_end(h);
        result = write_pages(h, &l);
    }
    html_end(h);
    return result;
}

static int write_page(struct page *p, struct page_scope *s, struct err *e)
{
    struct html *h = &p->html;
    struct catalogue *c = p->request->serve->catalogue;
    struct page_filter f;
    struct catalogue_query q;
    int r;

    page_filter_read(&f, p->request->exchange);
    page_filter_query(&f, s, &q);
    html_element(h, "h1", NULL, "Cases");
    html_element(h, "p", "lead", "What died, the newest first, and why.");
    page_filter_form(h, &f, s->names.item ? (const char *const *)s->names.item : (const char *const[]){NULL});
    html_begin_class(h, "div", "days");
    html_attr(h, "id", "days");
    r = page_chart_days(h, c, &q, e);
    html_end(h);
    return r < 0 ? r : write_list(h, p->request, &f, &q, e);
}

void page_cases(struct request *r)
{
    CLEANUP(page_scope_done) struct page_scope scope = {0};
    struct page p;
    struct err e = {0};
    int result;

    if (page_scope_init(&scope, r) < 0)
        return;
    page_begin(&p, r, "Cases", "/" REQUEST_OWN "cases");
    if ((result = write_page(&p, &scope, &e)) < 0) {
        html_done(&p.html);
        request_fail(r, result, &e);
        return;
    }
    page_end(&p, 200);
}
