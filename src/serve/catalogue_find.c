/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to the catalogue.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "serve/catalogue_internal.h"
#include "serve/catalogue_query.h"

enum { LIMIT = 100, LIMIT_MAX = 10000, CURSOR_MAX = 48 };
#define DAY_NS (INT64_C(86400) * 1000000000)

/* Begin and end of a question: damage that a reader meets makes the index anew. */
static struct index *enter(struct catalogue *c)
{
    index_read_begin(c->index);
    return c->index;
}

static int leave(struct catalogue *c, int result)
{
    index_read_end(c->index);
    if (result == -FAULT_CORRUPT)
        catalogue_damaged(c);
    return result == -FAULT_CORRUPT ? -FAULT_BUSY : result;
}

static int parse_cursor(const char *text, int64_t *ret_time_ns, int64_t *ret_number, struct err *e)
{
    char *end, *end_of_number;
    int64_t time_ns = strtoll(text, &end, 10), number = *end == '.' ? strtoll(end + 1, &end_of_number, 10) : 0;

    if (end == text || *end != '.' || *end_of_number || number <= 0)
        return err_set(e, -FAULT_USAGE, "that is no cursor of a list");
    *ret_time_ns = time_ns;
    *ret_number = number;
    return 0;
}

/* Only what all cases of a loop have in common, and since when: then its newest case stands for it. */
static bool asks_of_loops(const struct catalogue_query *q)
{
    return q->fold && !q->pod && !q->text && q->until_ns == 0;
}

#define ROW_OF(c)                                                                                                      \
    c ".id, " c ".path, " c ".namespace, " c ".workload, " c ".pod, " c ".container, " c ".cause, " c ".kind, " c      \
      ".detail, " c ".time_ns, " c ".size, " c ".stored_size, " c ".objects, " c ".pinned, " c ".partial"

static void of_loops(struct query *s, const struct catalogue_query *q, int64_t time_ns, int64_t number)
{
    query_add(s, "SELECT " ROW_OF("c") ", l.count - 1 FROM loops l JOIN cases c ON c.id = l.newest WHERE 1");
    query_filters(s, "c", q);
    if (q->after) {
        query_number(s, " AND (l.last_ns, l.newest) < (?, ", time_ns);
        query_number(s, "?)", number);
    }
    query_add(s, " ORDER BY l.last_ns DESC, l.newest DESC");
}

/* A case that has no newer one in its loop among those that fit stands for the loop. */
static void of_cases(struct query *s, const struct catalogue_query *q, int64_t time_ns, int64_t number)
{
    query_add(s, "SELECT " ROW_OF("c"));
    query_add(s, q->fold ? ", (SELECT count(*) FROM cases o WHERE o.loop = c.loop AND o.time_ns < c.time_ns)" : ", 0");
    query_add(s, " FROM cases c WHERE 1");
    query_filters(s, "c", q);
    if (q->after) {
        query_number(s, " AND (c.time_ns, c.id) < (?, ", time_ns);
        query_number(s, "?)", number);
    }
    if (q->fold) {
        query_add(s, " AND NOT EXISTS (SELECT 1 FROM cases n WHERE n.loop = c.loop"
                     " AND (n.time_ns, n.id) > (c.time_ns, c.id)");
        query_filters(s, "n", q);
        query_add(s, ")");
    }
    query_add(s, " ORDER BY c.time_ns DESC, c.id DESC");
}

static int give_row(sqlite3_stmt *s, int (*fn)(void *ctx, const struct case_row *row), void *ctx)
{
    char cursor[CURSOR_MAX];
    struct case_row row = {
        .id = sql_column_text(s, 1),
        .namespace = sql_column_text(s, 2),
        .workload = sql_column_text(s, 3),
        .pod = sql_column_text(s, 4),
        .container = sql_column_text(s, 5),
        .cause = sql_column_text(s, 6),
        .kind = sql_column_text(s, 7),
        .detail = sql_column_text(s, 8),
        .time_ns = sqlite3_column_int64(s, 9),
        .size = sql_column_uint(s, 10),
        .stored_size = sql_column_uint(s, 11),
        .objects = (unsigned)sqlite3_column_int(s, 12),
        .pinned = sqlite3_column_int(s, 13) != 0,
        .partial = sqlite3_column_int(s, 14) != 0,
        .folded = (unsigned)sqlite3_column_int(s, 15),
        .cursor = cursor,
    };

    snprintf(cursor, sizeof(cursor), "%" PRId64 ".%" PRId64, row.time_ns, (int64_t)sqlite3_column_int64(s, 0));
    return fn(ctx, &row);
}

static int find(struct index *x, const struct catalogue_query *q, int (*fn)(void *ctx, const struct case_row *row),
                void *ctx, struct err *e)
{
    CLEANUP(query_done) struct query query;
    CLEANUP(sql_finish) sqlite3_stmt *s = NULL;
    int64_t time_ns = 0, number = 0;
    int r;

    query_init(&query, q);
    if (q->after && (r = parse_cursor(q->after, &time_ns, &number, e)) < 0)
        return r;
    if ((r = query_find_words(&query, x, e)) < 0)
        return r;
    (asks_of_loops(q) ? of_loops : of_cases)(&query, q, time_ns, number);
    query_number(&query, " LIMIT ?", q->limit == 0 ? LIMIT : q->limit < LIMIT_MAX ? q->limit : LIMIT_MAX);
    if ((r = query_prepare(&query, x->read.db, &s, e)) < 0)
        return r;
    while ((r = sql_step(s, e)) == 1)
        if ((r = give_row(s, fn, ctx)) < 0)
            return r;
    return r;
}

int catalogue_find(struct catalogue *c, const struct catalogue_query *q,
                   int (*fn)(void *ctx, const struct case_row *row), void *ctx, struct err *e)
{
    assert(c && q && fn);
    return leave(c, find(enter(c), q, fn, ctx, e));
}

static int find_days(struct index *x, const struct catalogue_query *q,
                     int (*fn)(void *ctx, const char *day, unsigned count), void *ctx, struct err *e)
{
    CLEANUP(query_done) struct query query;
    CLEANUP(sql_finish) sqlite3_stmt *s = NULL;
    char day[CLOCK_TEXT_MAX];
    int r;

    query_init(&query, q);
    if ((r = query_find_words(&query, x, e)) < 0)
        return r;
    query_number(&query, "SELECT c.time_ns / ? AS day, count(*) FROM cases c WHERE 1", DAY_NS);
    query_filters(&query, "c", q);
    query_add(&query, " GROUP BY day ORDER BY day DESC");
    if ((r = query_prepare(&query, x->read.db, &s, e)) < 0)
        return r;
    while ((r = sql_step(s, e)) == 1) {
        clock_format(sqlite3_column_int64(s, 0) * DAY_NS, day);
        day[strlen("2026-11-21")] = '\0';
        if ((r = fn(ctx, day, (unsigned)sqlite3_column_int(s, 1))) < 0)
            return r;
    }
    return r;
}

int catalogue_days(struct catalogue *c, const struct catalogue_query *q,
                   int (*fn)(void *ctx, const char *day, unsigned count), void *ctx, struct err *e)
{
    assert(c && q && fn);
    return leave(c, find_days(enter(c), q, fn, ctx, e));
}

/* The rows of all namespaces are made once for a version of the index: each page asks which namespaces there are. */
static const char USAGE[] =
    "SELECT u.namespace, sum(u.cases), sum(u.objects), total(u.bytes), min(u.oldest), max(u.newest)"
    " FROM (SELECT namespace, count(*) AS cases, sum(objects) AS objects, total(stored_size) AS bytes,"
    " min(time_ns) AS oldest, max(time_ns) AS newest FROM cases GROUP BY namespace"
    " UNION ALL SELECT namespace, 0, objects, bytes, NULL, NULL FROM others) u GROUP BY u.namespace ORDER BY 4 DESC, 1";

static int add_usage(struct usage_cache *u, sqlite3_stmt *s)
{
    CLEANUP_FREE char *namespace = strdup(sql_column_text(s, 0));

    if (!namespace || array_reserve(&u->row, u->count + 1, &u->capacity, sizeof(*u->row), SIZE_MAX) < 0)
        return -ENOMEM;
    u->row[u->count++] = (struct usage_row){.namespace = TAKE_PTR(namespace),
                                            .cases = sql_column_uint(s, 1),
                                            .objects = sql_column_uint(s, 2),
                                            .stored_bytes = sql_column_uint(s, 3),
                                            .oldest_ns = sqlite3_column_int64(s, 4),
                                            .newest_ns = sqlite3_column_int64(s, 5)};
    return 0;
}

void usage_cache_clear(struct usage_cache *u)
{
    for (size_t i = 0; i < u->count; i++)
        free((char *)u->row[i].namespace);
    free(u->row);
    *u = (struct usage_cache){0};
}

static int fill_usage(struct index *x, struct usage_cache *u, struct err *e)
{
    CLEANUP(sql_finish) sqlite3_stmt *s = NULL;
    int64_t version = index_version(x);
    int r;

    if (u->valid && u->version == version)
        return 0;
    usage_cache_clear(u);
    if ((r = sql_prepare(x->read.db, USAGE, &s, e)) < 0)
        return r;
    while ((r = sql_step(s, e)) == 1)
        if (add_usage(u, s) < 0)
            return err_set(e, -ENOMEM, "out of memory");
    u->version = version;
    u->valid = r == 0;
    return r;
}

static bool is_visible(const char *const *visible, const char *namespace)
{
    for (; visible && *visible; visible++)
        if (strcmp(*visible, namespace) == 0)
            return true;
    return !visible;
}

static int give_usage(struct index *x, struct usage_cache *u, const char *const *visible,
                      int (*fn)(void *ctx, const struct usage_row *row), void *ctx, struct err *e)
{
    int r = fill_usage(x, u, e);

    for (size_t i = 0; r >= 0 && i < u->count; i++)
        if (is_visible(visible, u->row[i].namespace))
            r = fn(ctx, &u->row[i]);
    return r;
}

int catalogue_usage(struct catalogue *c, const char *const *visible, int (*fn)(void *ctx, const struct usage_row *row),
                    void *ctx, struct err *e)
{
    struct index *x = enter(c);

    assert(fn);
    return leave(c, give_usage(x, &c->usage, visible, fn, ctx, e));
}
