/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums over all cases: by day and by namespace. They are the slow part of a page, so the last ones are kept until the
 * index changes.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "serve/catalogue_internal.h"
#include "serve/catalogue_query.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

void days_cache_clear(struct days_cache *d)
{
    free(d->question);
    free(d->row);
    *d = (struct days_cache){0};
}

static int count_days(struct query *q, struct index *x, struct days_cache *d, struct err *e)
{
    CLEANUP(sql_finish) sqlite3_stmt *s = NULL;
    int r = query_prepare(q, x->read.db, &s, e);

    while (r == 0 && (r = sql_step(s, e)) == 1) {
        if (array_reserve(&d->row, d->count + 1, &d->capacity, sizeof(*d->row), SIZE_MAX) < 0)
            return err_set(e, -ENOMEM, "out of memory");
        d->row[d->count++] = (struct day_count){sqlite3_column_int64(s, 0), (unsigned)sqlite3_column_int(s, 1)};
        r = 0;
    }
    return r;
}

static int fill_days(struct index *x, struct days_cache *d, const struct catalogue_query *of, struct err *e)
{
    CLEANUP(query_done) struct query q;
    CLEANUP_FREE char *question = NULL;
    int64_t version;
    int r;

    query_init(&q, of);
    if ((r = query_find_words(&q, x, e)) < 0)
        return r;
    version = index_version(x);
    query_number(&q, "SELECT c.time_ns / ? AS day, count(*) FROM cases c WHERE 1", DAY_NS);
    query_filters(&q, "c", of);
    query_add(&q, " GROUP BY day ORDER BY day DESC");
    if (!(question = query_describe(&q)))
        return err_set(e, -ENOMEM, "out of memory");
    if (d->question && d->version == version && strcmp(d->question, question) == 0)
        return 0;
    days_cache_clear(d);
    if ((r = count_days(&q, x, d, e)) < 0) {
        days_cache_clear(d);
        return r;
    }
    d->version = version;
    d->question = TAKE_PTR(question);
    return 0;
}

static int give_days(struct index *x, struct days_cache *d, const struct catalogue_query *q,
                     int (*fn)(void *ctx, const char *day, unsigned count), void *ctx, struct err *e)
{
    char day[CLOCK_TEXT_MAX];
    int r = fill_days(x, d, q, e);

    for (size_t i = 0; r >= 0 && i < d->count; i++) {
        clock_format(d->row[i].day * DAY_NS, day);
        day[strlen("2026-11-21")] = '\0';
        r = fn(ctx, day, d->row[i].count);
    }
    return r;
}

int catalogue_days(struct catalogue *c, const struct catalogue_query *q,
                   int (*fn)(void *ctx, const char *day, unsigned count), void *ctx, struct err *e)
{
    struct index *x = catalogue_enter(c);

    assert(q && fn);
    return catalogue_leave(c, give_days(x, &c->days, q, fn, ctx, e));
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
    struct index *x = catalogue_enter(c);

    assert(fn);
    return catalogue_leave(c, give_usage(x, &c->usage, visible, fn, ctx, e));
}
