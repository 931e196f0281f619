/* SPDX-License-Identifier: Apache-2.0
 *
 * A loop's row is kept up with each case, so that a list of loops costs nothing.
 */
#include "serve/catalogue_loop.h"

struct loop {
    int64_t id, first_ns, last_ns, newest, count;
};

static struct loop row_of(sqlite3_stmt *s)
{
    return (struct loop){sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2),
                         sqlite3_column_int64(s, 3), sqlite3_column_int64(s, 4)};
}

static int set(struct index *x, const struct loop *l, struct err *e)
{
    sqlite3_stmt *s = x->statement[LOOP_SET];

    sql_int(s, 1, l->first_ns);
    sql_int(s, 2, l->last_ns);
    sql_int(s, 3, l->newest);
    sql_int(s, 4, l->count);
    sql_int(s, 5, l->id);
    return sql_do(s, e);
}

static int drop(struct index *x, int64_t id, struct err *e)
{
    sql_int(x->statement[LOOP_DROP], 1, id);
    return sql_do(x->statement[LOOP_DROP], e);
}

static int set_loop_of_case(struct index *x, int64_t loop, int64_t id, struct err *e)
{
    sqlite3_stmt *s = x->statement[JOIN_LOOP];

    sql_int(s, 1, loop);
    sql_int(s, 2, id);
    return sql_do(s, e);
}

static void bind_series(sqlite3_stmt *s, const struct loop_series *series)
{
    sql_text(s, 1, series->namespace);
    sql_text(s, 2, series->workload);
    sql_text(s, 3, series->container);
    sql_text(s, 4, series->cause);
}

/* At most two loops are near: what is nearer to each other than the gap is one already. 0, 1 or 2. */
static int find_near(struct index *x, int64_t time_ns, const struct loop_series *series, struct loop near[2],
                     struct err *e)
{
    sqlite3_stmt *s = x->statement[LOOPS_NEAR];
    int count = 0, r;

    bind_series(s, series);
    sql_int(s, 5, time_ns);
    sql_int(s, 6, LOOP_GAP_NS);
    while ((r = sql_step(s, e)) == 1 && count < 2)
        near[count++] = row_of(s);
    sqlite3_reset(s);
    return r < 0 ? r : count;
}

static int add(struct index *x, const struct loop_series *series, struct loop *ret, struct err *e)
{
    sqlite3_stmt *s = x->statement[LOOP_ADD];
    int r;

    bind_series(s, series);
    if ((r = sql_do(s, e)) == 0)
        *ret = (struct loop){.id = sqlite3_last_insert_rowid(x->write.db), .first_ns = INT64_MAX, .last_ns = INT64_MIN};
    return r;
}

static void take_in(struct loop *l, const struct loop *other)
{
    if (other->last_ns > l->last_ns || (other->last_ns == l->last_ns && other->newest > l->newest)) {
        l->last_ns = other->last_ns;
        l->newest = other->newest;
    }
    if (other->first_ns < l->first_ns)
        l->first_ns = other->first_ns;
    l->count += other->count;
}

/* The case lies between two loops, which thereby are one. */
static int merge(struct index *x, struct loop *l, const struct loop *other, struct err *e)
{
    sqlite3_stmt *s = x->statement[LOOP_MERGE];
    int r;

    sql_int(s, 1, l->id);
    sql_int(s, 2, other->id);
    if ((r = sql_do(s, e)) < 0 || (r = drop(x, other->id, e)) < 0)
        return r;
    take_in(l, other);
    return 0;
}

int loop_join(struct index *x, int64_t id, int64_t time_ns, const struct loop_series *series, struct err *e)
{
    struct loop near[2] = {0};
    int count = find_near(x, time_ns, series, near, e), r = 0;

    if (count < 0)
        return count;
    if (count == 0)
        r = add(x, series, &near[0], e);
    else if (count == 2)
        r = merge(x, &near[0], &near[1], e);
    if (r < 0)
        return r;
    take_in(&near[0], &(struct loop){0, time_ns, time_ns, id, 1});
    return (r = set(x, &near[0], e)) < 0 ? r : set_loop_of_case(x, near[0].id, id, e);
}

/* After a case left: the ends may have been it. */
static int find_ends(struct index *x, struct loop *l, struct err *e)
{
    sqlite3_stmt *first = x->statement[LOOP_FIRST], *last = x->statement[LOOP_LAST];
    int r;

    sql_int(first, 1, l->id);
    if ((r = sql_step(first, e)) == 1)
        l->first_ns = sqlite3_column_int64(first, 0);
    sqlite3_reset(first);
    if (r < 0)
        return r;
    sql_int(last, 1, l->id);
    if ((r = sql_step(last, e)) == 1) {
        l->last_ns = sqlite3_column_int64(last, 0);
        l->newest = sqlite3_column_int64(last, 1);
    }
    sqlite3_reset(last);
    return r < 0 ? r : 0;
}

int loop_leave(struct index *x, int64_t id, struct err *e)
{
    sqlite3_stmt *s = x->statement[LOOP_OF_CASE];
    struct loop l = {0};
    int r;

    sql_int(s, 1, id);
    if ((r = sql_step(s, e)) == 1)
        l = row_of(s);
    sqlite3_reset(s);
    if (r <= 0)
        return r;
    if ((r = set_loop_of_case(x, 0, id, e)) < 0)
        return r;
    if (--l.count <= 0)
        return drop(x, l.id, e);
    return (r = find_ends(x, &l, e)) < 0 ? r : set(x, &l, e);
}
