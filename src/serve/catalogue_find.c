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

#include "base/clock.h"
#include "base/mem.h"
#include "serve/catalogue_internal.h"
#include "serve/catalogue_query.h"

enum { LIMIT = 100, LIMIT_MAX = 10000, CURSOR_MAX = 48 };

struct index *catalogue_enter(struct catalogue *c)
{
    index_read_begin(c->index);
    return c->index;
}

int catalogue_leave(struct catalogue *c, int result)
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
    return q->fold && !q->pod && !q->suspect && !q->text && q->until_ns == 0;
}

#define ROW_OF(c)                                                                                                      \
    c ".id, " c ".path, " c ".namespace, " c ".workload, " c ".pod, " c ".container, " c ".cause, " c ".kind, " c      \
      ".detail, " c ".time_ns, " c ".size, " c ".stored_size, " c ".objects, " c ".pinned, " c ".partial, " c          \
      ".class, " c ".suspect"

/* Cases of the same suspect of which one was analysed and the other has a digest alone are not two. */
#define SUSPECTS_OF_LOOP                                                                                               \
    "(SELECT max(count(DISTINCT o.suspect), count(DISTINCT o.class)) FROM cases o WHERE o.loop = c.loop"

static void of_loops(struct query *s, const struct catalogue_query *q, int64_t time_ns, int64_t number)
{
    query_add(s, "SELECT " ROW_OF("c") ", l.count - 1, " SUSPECTS_OF_LOOP
                                       ") FROM loops l JOIN cases c ON c.id = l.newest WHERE 1");
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
    query_add(s, q->fold ? ", (SELECT count(*) FROM cases o WHERE o.loop = c.loop AND o.time_ns < c.time_ns),"
                           " " SUSPECTS_OF_LOOP " AND o.time_ns <= c.time_ns)"
                         : ", 0, 0");
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
        .class = sql_column_text(s, 15),
        .suspect = sql_column_text(s, 16),
        .folded = (unsigned)sqlite3_column_int(s, 17),
        .suspects = (unsigned)sqlite3_column_int(s, 18),
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
    return catalogue_leave(c, find(catalogue_enter(c), q, fn, ctx, e));
}
