/* SPDX-License-Identifier: Apache-2.0
 *
 * /-/api/cases: what the page of cases shows, as JSON for scripts: the same filters, and `limit`. "next" is the value
 * of `after` for the cases behind the last one; it is left out if there are none.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/page_filter.h"
#include "serve/route.h"

enum { LIMIT = 100, LIMIT_MAX = 1000, TEXT_MAX = 2048 };

struct answer {
    json_t *cases;
    unsigned limit;
    char *cursor; /* of the last row that is given; owned */
    bool more;
};

static void answer_done(struct answer *a)
{
    json_decref(a->cases);
    free(a->cursor);
}

/* Left out if it is not known. */
static int set_text(json_t *object, const char *name, const char *text)
{
    return !text ? 0 : json_object_set_new(object, name, jsonout_text(text, TEXT_MAX));
}

static int set_row(json_t *one, const struct case_row *row)
{
    char time[CLOCK_TEXT_MAX];

    if (set_text(one, "id", row->id) < 0 || set_text(one, "namespace", row->namespace) < 0 ||
        set_text(one, "workload", row->workload) < 0 || set_text(one, "pod", row->pod) < 0 ||
        set_text(one, "container", row->container) < 0 || set_text(one, "cause", row->cause) < 0 ||
        set_text(one, "kind", row->kind) < 0 || set_text(one, "detail", row->detail) < 0 ||
        set_text(one, "suspect", row->suspect) < 0 || set_text(one, "class", row->class) < 0 ||
        set_text(one, "time", clock_format(row->time_ns, time)) < 0)
        return -ENOMEM;
    if (json_object_set_new(one, "size", json_integer((json_int_t)row->size)) < 0 ||
        json_object_set_new(one, "stored_size", json_integer((json_int_t)row->stored_size)) < 0 ||
        json_object_set_new(one, "objects", json_integer(row->objects)) < 0 ||
        json_object_set_new(one, "folded", json_integer(row->folded)) < 0 ||
        json_object_set_new(one, "suspects", json_integer(row->suspects)) < 0 ||
        json_object_set_new(one, "partial", json_boolean(row->partial)) < 0 ||
        json_object_set_new(one, "pinned", json_boolean(row->pinned)) < 0)
        return -ENOMEM;
    return 0;
}

static int add_row(void *ctx, const struct case_row *row)
{
    struct answer *a = ctx;
    json_t *one;

    if (json_array_size(a->cases) == a->limit) {
        a->more = true;
        return 0;
    }
    free(a->cursor);
    a->cursor = strdup(row->cursor);
    one = json_object();
    if (!one || !a->cursor || set_row(one, row) < 0) {
        json_decref(one);
        return -ENOMEM;
    }
    return json_array_append_new(a->cases, one) < 0 ? -ENOMEM : 0;
}

static void send(struct request *r, struct answer *a)
{
    json_auto_t *whole = json_pack("{s:O}", "cases", a->cases);
    bool made = whole && (!a->more || set_text(whole, "next", a->cursor) == 0);

    request_answer_json(r, 200, made ? whole : NULL);
}

/* False after it has answered. */
static bool read_limit(struct request *r, unsigned *ret)
{
    const char *text = exchange_query(r->exchange, "limit");
    uint64_t limit = LIMIT;

    if (text && (text_parse_uint(text, LIMIT_MAX, &limit) < 0 || limit == 0)) {
        exchange_answer_text(r->exchange, 400, "limit: 1 to %d", LIMIT_MAX);
        return false;
    }
    *ret = (unsigned)limit;
    return true;
}

void cases_answer(struct request *r)
{
    CLEANUP(answer_done) struct answer a = {.cases = json_array()};
    struct page_scope scope;
    struct page_filter filter;
    struct catalogue_query query;
    struct err e = {0};
    int result;

    page_filter_read(&filter, r->exchange);
    if (filter.bad_date) {
        exchange_answer_text(r->exchange, 400, "since, until: a day, as in 2026-11-21");
        return;
    }
    if (!read_limit(r, &a.limit) || page_scope_init(&scope, r) < 0)
        return;
    page_filter_query(&filter, &scope, &query);
    query.limit = a.limit + 1;
    result =
        a.cases ? catalogue_find(r->serve->catalogue, &query, add_row, &a, &e) : err_set(&e, -ENOMEM, "out of memory");
    page_scope_done(&scope);
    if (result < 0)
        request_fail(r, result, &e);
    else
        send(r, &a);
}
