/* SPDX-License-Identifier: Apache-2.0
 *
 * /-/usage: how much room each namespace takes, and what retention removes when.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/html_table.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/volume.h"
#include "net/url.h"
#include "serve/page.h"
#include "ship/retain_policy.h"

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

static void write_name(struct html_table *t, const char *namespace)
{
    CLEANUP(buf_done) struct buf url = {0};

    html_table_head_begin(t);
    if (!*namespace)
        html_text(t->h, "(none)");
    else if (buf_add_text(&url, "/" REQUEST_OWN "cases") == 0 && url_add_query(&url, "namespace", namespace) == 0)
        html_link(t->h, buf_text(&url), namespace);
    html_end(t->h);
}

static void write_age(struct html_table *t, int64_t time_ns)
{
    html_table_cell_begin(t, "number");
    page_age(t->h, time_ns);
    html_end(t->h);
}

static void write_table(struct html *h, const struct usage *u)
{
    static const char *const heads[] = {"Namespace", "Stored", NULL, "Cases", "Objects", "Oldest", "Newest"};
    struct html_table t = {h, heads, ARRAY_SIZE(heads), 0};

    html_table_begin(&t, "The largest first");
    for (size_t i = 0; i < u->count; i++) {
        const struct usage_row *row = &u->row[i];

        html_table_row(&t, NULL);
        write_name(&t, row->namespace);
        html_table_size(&t, row->stored_bytes);
        html_table_bar(&t, row->stored_bytes, u->row[0].stored_bytes);
        html_table_count(&t, row->cases);
        html_table_count(&t, row->objects);
        write_age(&t, row->oldest_ns);
        write_age(&t, row->newest_ns);
        html_table_row_end(&t);
    }
    html_table_end(&t);
}

/* "30 days", "12 hours"; "" for no limit. */
static const char *span_text(uint64_t ms, char out[32])
{
    const uint64_t minute = 60000, hour = 60 * minute;

    *out = '\0';
    if (ms >= 48 * hour)
        snprintf(out, 32, "%" PRIu64 " days", ms / (24 * hour));
    else if (ms >= hour)
        snprintf(out, 32, "%" PRIu64 " hours", ms / hour);
    else if (ms > 0)
        snprintf(out, 32, "%" PRIu64 " minutes", ms / minute);
    return out;
}

/* When the oldest case becomes too old. */
static void write_next(struct html_table *t, int64_t oldest_ns, uint64_t age_ms)
{
    int64_t left_ms = oldest_ns / 1000000 + (int64_t)age_ms - clock_wall_ns() / 1000000;
    char text[32];

    html_table_cell_begin(t, "number");
    if (age_ms && oldest_ns > 0 && left_ms > 60000)
        html_printf(t->h, "in %s", span_text((uint64_t)left_ms, text));
    else if (age_ms && oldest_ns > 0)
        html_text(t->h, "now");
    html_end(t->h);
}

static void write_rule(struct html_table *t, const struct usage_row *row, const struct retain_policy *policy)
{
    const struct retain_rule *own = retain_rule_of(policy, row->namespace, strlen(row->namespace));
    const struct retain_rule *rule = own ? own : retain_rule_general(policy);
    const struct retain_limits none = {0}, *l = rule ? &rule->limits : &none;
    char text[32], size[TEXT_SIZE_MAX];

    html_table_row(t, NULL);
    html_table_head(t, *row->namespace ? row->namespace : "(none)");
    html_table_cell(t, span_text(l->age_ms, text));
    snprintf(text, sizeof(text), "%" PRIu64, l->count);
    html_table_cell(t, l->count ? text : "");
    html_table_cell(t, l->bytes && own ? text_format_size(l->bytes, size) : "");
    write_next(t, row->oldest_ns, l->age_ms);
    html_table_row_end(t);
}

/* The limits that are for all of the store. */
static void write_general(struct html *h, const struct retain_policy *policy)
{
    const struct retain_rule *rule = retain_rule_general(policy);

    html_begin(h, "p");
    html_text(
        h,
        "Every hour, what is beyond these limits is removed: the middle of crash loops first, then the oldest; never "
        "what is pinned.");
    if (rule && rule->limits.bytes) {
        html_text(h, " All of it may take ");
        page_size(h, rule->limits.bytes);
        html_text(h, ".");
    }
    if (rule && rule->limits.free) {
        html_text(h, " At least ");
        page_size(h, rule->limits.free);
        html_text(h, " of the disk stay free.");
    }
    html_end(h);
}

static void write_retention(struct html *h, const struct usage *u, const struct retain_policy *policy)
{
    static const char *const heads[] = {"Namespace", "Kept for", "Cases of a workload", "Room", "Next by age"};
    struct html_table t = {h, heads, ARRAY_SIZE(heads), 0};

    html_begin(h, "section");
    html_element(h, "h2", NULL, "What is removed when");
    if (!policy || policy->count == 0) {
        html_begin(h, "p");
        html_text(h, "Nothing is removed by itself: this server was started without ");
        html_element(h, "code", NULL, "--retain");
        html_text(h, ".");
        html_end(h);
    } else {
        write_general(h, policy);
        html_table_begin(&t, "Limits of each namespace");
        for (size_t i = 0; i < u->count; i++)
            write_rule(&t, &u->row[i], policy);
        html_table_end(&t);
    }
    html_end(h);
}

static void write_disk(struct html *h, int root_fd)
{
    uint64_t size, left;

    if (root_fd < 0 || volume_space(root_fd, &size, &left) < 0)
        return;
    html_text(h, " ");
    page_size(h, left);
    html_text(h, " of the disk's ");
    page_size(h, size);
    html_text(h, " are free.");
}

static void write_page(struct html *h, const struct serve *s, const struct usage *u)
{
    html_begin(h, "h1");
    page_size(h, u->bytes);
    html_printf(h, " in %" PRIu64 " case%s", u->cases, u->cases == 1 ? "" : "s");
    html_end(h);
    html_begin_class(h, "p", "lead");
    html_printf(h, "%" PRIu64 " object%s, as they are stored, of %zu namespace%s.", u->objects,
                u->objects == 1 ? "" : "s", u->count, u->count == 1 ? "" : "s");
    write_disk(h, s->root_fd);
    html_end(h);
    html_begin(h, "section");
    html_element(h, "h2", NULL, "By namespace");
    if (u->count > 0)
        write_table(h, u);
    else
        html_element(h, "p", "muted", "Nothing is stored yet.");
    html_end(h);
    write_retention(h, u, s->config.retain);
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
    write_page(&p.html, r->serve, &u);
    page_end(&p, 200);
}
