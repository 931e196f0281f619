/* SPDX-License-Identifier: Apache-2.0
 *
 * /-/usage: how much room each namespace takes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "serve/page.h"
#include "serve/page_table.h"

enum { NAMESPACES_MAX = 10000 };

struct usage {
    struct usage_row *row; /* the largest first; their names are owned */
    size_t count, capacity;
    uint64_t cases, objects, bytes;
};

static void usage_done(struct usage *u)
{
    for (size_t i = 0; i < u->count; i++)
        free((char *)u->row[i].namespace);
    free(u->row);
}

static int add_row(void *ctx, const struct usage_row *row)
{
    struct usage *u = ctx;
    int r = array_reserve(&u->row, u->count + 1, &u->capacity, sizeof(*u->row), NAMESPACES_MAX);

    if (r < 0)
        return r == -E2BIG ? 0 : r;
    u->row[u->count] = *row;
    if (!(u->row[u->count].namespace = strdup(row->namespace ? row->namespace : "")))
        return -ENOMEM;
    u->count++;
    u->cases += row->cases;
    u->objects += row->objects;
    u->bytes += row->stored_bytes;
    return 0;
}

static int by_bytes(const void *a, const void *b)
{
    const struct usage_row *x = a, *y = b;

    if (x->stored_bytes != y->stored_bytes)
        return x->stored_bytes < y->stored_bytes ? 1 : -1;
    return strcmp(x->namespace, y->namespace);
}

static void write_name(struct table *t, const char *namespace)
{
    CLEANUP(buf_done) struct buf url = {0};

    table_head_begin(t);
    if (!*namespace)
        html_text(t->h, "(none)");
    else if (buf_add_text(&url, "/" REQUEST_OWN "cases") == 0 && html_url_query(&url, "namespace", namespace) == 0)
        html_link(t->h, buf_text(&url), namespace);
    html_end(t->h);
}

static void write_age(struct table *t, int64_t time_ns)
{
    table_cell_begin(t, "number");
    page_age(t->h, time_ns);
    html_end(t->h);
}

static void write_table(struct html *h, const struct usage *u)
{
    static const char *const heads[] = {"Namespace", "Stored", NULL, "Cases", "Objects", "Oldest", "Newest"};
    struct table t = {h, heads, ARRAY_SIZE(heads), 0};

    table_begin(&t, "The largest first");
    for (size_t i = 0; i < u->count; i++) {
        const struct usage_row *row = &u->row[i];

        table_row(&t, NULL);
        write_name(&t, row->namespace);
        table_size(&t, row->stored_bytes);
        table_bar(&t, row->stored_bytes, u->row[0].stored_bytes);
        table_count(&t, row->cases);
        table_count(&t, row->objects);
        write_age(&t, row->oldest_ns);
        write_age(&t, row->newest_ns);
        table_row_end(&t);
    }
    table_end(&t);
}

static void write_page(struct html *h, const struct usage *u)
{
    html_begin(h, "h1");
    page_size(h, u->bytes);
    html_printf(h, " in %" PRIu64 " case%s", u->cases, u->cases == 1 ? "" : "s");
    html_end(h);
    html_begin_class(h, "p", "lead");
    html_printf(h, "%" PRIu64 " objects, as they are stored, of %zu namespace%s.", u->objects, u->count,
                u->count == 1 ? "" : "s");
    html_end(h);
    html_begin(h, "section");
    html_element(h, "h2", NULL, "By namespace");
    if (u->count > 0)
        write_table(h, u);
    else
        html_element(h, "p", "muted", "Nothing is stored yet.");
    html_end(h);
}

void page_usage(struct request *r)
{
    CLEANUP(page_scope_done) struct page_scope scope = {0};
    CLEANUP(usage_done) struct usage u = {0};
    struct err e = {0};
    struct page p;
    int result;

    if (page_scope_init(&scope, r) < 0)
        return;
    result = catalogue_usage(r->serve->catalogue, page_scope_visible(&scope), add_row, &u, &e);
    if (result < 0) {
        request_fail(r, result, &e);
        return;
    }
    if (u.count > 0)
        qsort(u.row, u.count, sizeof(*u.row), by_bytes);
    page_begin(&p, r, "Usage", "/" REQUEST_OWN "usage");
    write_page(&p.html, &u);
    page_end(&p, 200);
}
