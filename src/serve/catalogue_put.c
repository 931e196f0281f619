/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects into and out of the catalogue. A case's row is made of its objects after each change.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/catalogue_index.h"
#include "serve/catalogue_loop.h"
#include "serve/catalogue_suspect.h"
#include "ship/case_facts.h"
#include "ship/case_suspect.h"

enum { WORDS_MAX = 16 * 1024, TEXT_COLUMN_MAX = 512 };

static int no_memory(struct err *e)
{
    return err_set(e, -ENOMEM, "out of memory");
}

/* What the case's row says, and what its loop is found by. */
struct case_columns {
    char *workload, *pod, *container, *cause, *kind, *detail, *class;
    int64_t time_ns;
    uint64_t size, stored_size;
    bool partial;
    unsigned objects;
};

static void summary_done(struct case_columns *s)
{
    free(s->workload);
    free(s->pod);
    free(s->container);
    free(s->cause);
    free(s->kind);
    free(s->detail);
    free(s->class);
}

static bool copy_facts(struct case_columns *s, sqlite3_stmt *row)
{
    char **const to[] = {&s->workload, &s->pod, &s->container, &s->cause, &s->kind, &s->detail, &s->class};

    for (int i = 0; i < (int)ARRAY_SIZE(to); i++) {
        const char *text = sql_column_text(row, 4 + i);

        if (!*to[i] && text && !(*to[i] = strdup(text)))
            return false;
    }
    return true;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* The most telling object's facts; what it doesn't know, the next one's. */
static int summarize(struct index *x, int64_t id, struct case_columns *ret, struct err *e)
{
    sqlite3_stmt *s = x->statement[OBJECTS_OF_CASE];
    int r;

    sql_int(s, 1, id << OBJECT_BITS);
    sql_int(s, 2, (id << OBJECT_BITS) + CASE_OBJECTS_MAX - 1);
    while ((r = sql_step(s, e)) == 1) {
        int64_t at = sqlite3_column_int64(s, 0);

        if (ret->objects == 0 || at < ret->time_ns)
            ret->time_ns = at;
        ret->size = sum(ret->size, sql_column_uint(s, 1));
        ret->stored_size = sum(ret->stored_size, sql_column_uint(s, 2));
        ret->partial = ret->partial || sqlite3_column_int(s, 3) != 0;
        ret->objects++;
        if (!copy_facts(ret, s)) {
            sqlite3_reset(s);
            return no_memory(e);
        }
    }
    return r;
}

static int set_case(struct index *x, int64_t id, const struct case_columns *c, struct err *e)
{
    sqlite3_stmt *s = x->statement[SET_CASE];

    sql_text(s, 1, c->workload);
    sql_text(s, 2, c->pod);
    sql_text(s, 3, c->container);
    sql_text(s, 4, c->cause);
    sql_text(s, 5, c->kind);
    sql_text(s, 6, c->detail);
    sql_int(s, 7, c->time_ns);
    sql_uint(s, 8, c->size);
    sql_uint(s, 9, c->stored_size);
    sql_uint(s, 10, c->objects);
    sql_int(s, 11, c->partial);
    sql_text(s, 12, c->class);
    sql_int(s, 13, id);
    return sql_do(s, e);
}

static int drop_case(struct index *x, int64_t id, struct err *e)
{
    int r = suspect_leave(x, id, e);

    if (r < 0)
        return r;
    sql_int(x->statement[DROP_CASE], 1, id);
    return sql_do(x->statement[DROP_CASE], e);
}

/* After its objects changed. namespace: of its path. */
static int renew_case(struct index *x, int64_t id, const char *namespace, struct err *e)
{
    CLEANUP(summary_done) struct case_columns c = {0};
    int r;

    if ((r = summarize(x, id, &c, e)) < 0 || (r = loop_leave(x, id, e)) < 0)
        return r;
    if (c.objects == 0)
        return drop_case(x, id, e);
    if ((r = set_case(x, id, &c, e)) < 0)
        return r;
    return loop_join(x, id, c.time_ns, &(struct loop_series){namespace, c.workload, c.container, c.cause}, e);
}

/* A number from a statement with one parameter; 0 without a row. */
static int find_number(sqlite3_stmt *s, const char *text, int64_t *ret, struct err *e)
{
    int r;

    *ret = 0;
    sql_text(s, 1, text);
    if ((r = sql_step(s, e)) == 1)
        *ret = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return r < 0 ? r : 0;
}

static int find_or_add_case(struct index *x, const char *path, const char *namespace, int64_t *ret, struct err *e)
{
    sqlite3_stmt *s = x->statement[ADD_CASE];
    int64_t pinned;
    int r = find_number(x->statement[FIND_CASE], path, ret, e);

    if (r < 0 || *ret)
        return r;
    if ((r = find_number(x->statement[FIND_PIN], path, &pinned, e)) < 0)
        return r;
    sql_text(s, 1, path);
    sql_text(s, 2, namespace);
    sql_int(s, 3, pinned);
    if ((r = sql_do(s, e)) < 0)
        return r;
    *ret = sqlite3_last_insert_rowid(x->write.db);
    return suspect_join(x, *ret, e);
}

/* The next object's number in a case; 0 if there is none left. */
static int next_object(struct index *x, int64_t case_number, int64_t *ret, struct err *e)
{
    sqlite3_stmt *s = x->statement[LAST_OBJECT];
    int64_t first = case_number << OBJECT_BITS, last;
    int r;

    sql_int(s, 1, first);
    sql_int(s, 2, first + CASE_OBJECTS_MAX - 1);
    if ((r = sql_step(s, e)) < 0)
        return r;
    last = r == 1 ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    *ret = last == 0 ? first : last - first < CASE_OBJECTS_MAX - 1 ? last + 1 : 0;
    return 0;
}

static int drop_number(struct index *x, int64_t number, struct err *e)
{
    int r;

    sql_int(x->statement[DROP_WORDS], 1, number);
    sql_int(x->statement[DROP_OBJECT], 1, number);
    return (r = sql_do(x->statement[DROP_WORDS], e)) < 0 ? r : sql_do(x->statement[DROP_OBJECT], e);
}

static int add_words(struct index *x, int64_t number, const struct index_object *o, struct err *e)
{
    CLEANUP(buf_done) struct buf words = {.ceiling = WORDS_MAX};
    sqlite3_stmt *s = x->statement[ADD_WORDS];

    if (case_words_add(o->key, &words) < 0 || (o->manifest && case_words(o->manifest, &words) < 0))
        return no_memory(e);
    sql_int(s, 1, number);
    sql_text(s, 2, buf_text(&words));
    return sql_do(s, e);
}

/* Texts of a row are shown in lists: what is longer than a line is cut there anyway. */
static void bind_short(sqlite3_stmt *s, int at, const char *text)
{
    size_t size = text ? strnlen(text, TEXT_COLUMN_MAX + 1) : 0;

    if (size > TEXT_COLUMN_MAX)
        for (size = TEXT_COLUMN_MAX; size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80;)
            size--;
    if (size > 0)
        sqlite3_bind_text(s, at, text, (int)size, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(s, at);
}

static int add_object(struct index *x, int64_t number, const struct index_object *o, struct err *e)
{
    static const struct manifest NONE;
    const struct manifest *m = o->manifest ? o->manifest : &NONE;
    sqlite3_stmt *s = x->statement[ADD_OBJECT];
    char workload[WORKLOAD_MAX];
    int r;

    sql_int(s, 1, number);
    sql_text(s, 2, o->key);
    sql_int(s, 3, case_rank(o->manifest ? m->kind : "unreadable"));
    sql_int(s, 4, case_time_ns(m, o->file_time_ns > 0 ? o->file_time_ns : clock_wall_ns()));
    sql_uint(s, 5, o->manifest ? m->size : o->stored_size);
    sql_uint(s, 6, o->stored_size);
    sql_uint(s, 7, o->file_size);
    sql_int(s, 8, o->file_time_ns);
    sql_int(s, 9, m->partial != NULL);
    bind_short(s, 10, case_workload(m, workload));
    bind_short(s, 11, m->where.pod);
    bind_short(s, 12, m->where.container);
    bind_short(s, 13, m->cause);
    bind_short(s, 14, o->manifest ? m->kind : "unreadable");
    bind_short(s, 15, o->manifest ? m->origin.detail : o->broken);
    bind_short(s, 16, case_class(m));
    r = sql_do(s, e);
    sqlite3_clear_bindings(s);
    return r;
}

int index_put(struct index *x, const struct index_object *o, struct err *e)
{
    CLEANUP_FREE char *path = case_id(o->key), *namespace = case_namespace(o->key);
    int64_t id, number = 0;
    int r;

    assert(o->manifest || o->broken);
    if (!path || !namespace)
        return no_memory(e);
    if ((r = find_number(x->statement[FIND_OBJECT], o->key, &number, e)) < 0 ||
        (number && (r = drop_number(x, number, e)) < 0) || (r = find_or_add_case(x, path, namespace, &id, e)) < 0 ||
        (r = next_object(x, id, &number, e)) < 0)
        return r;
    if (!number)
        return 0;
    if ((r = add_object(x, number, o, e)) < 0 || (r = add_words(x, number, o, e)) < 0)
        return r;
    x->changes++;
    return renew_case(x, id, namespace, e);
}

int index_drop(struct index *x, const char *key, struct err *e)
{
    CLEANUP_FREE char *namespace = case_namespace(key);
    int64_t number = 0;
    int r = namespace ? find_number(x->statement[FIND_OBJECT], key, &number, e) : no_memory(e);

    if (r < 0 || !number)
        return r;
    if ((r = drop_number(x, number, e)) < 0)
        return r;
    x->changes++;
    return renew_case(x, number >> OBJECT_BITS, namespace, e);
}

int index_pin(struct index *x, const char *id, bool pinned, struct err *e)
{
    sqlite3_stmt *s = x->statement[pinned ? PIN : UNPIN], *of_case = x->statement[PIN_CASE];
    int r;

    sql_text(s, 1, id);
    if ((r = sql_do(s, e)) < 0)
        return r;
    sql_int(of_case, 1, pinned);
    sql_text(of_case, 2, id);
    if ((r = sql_do(of_case, e)) == 0 && sqlite3_changes(x->write.db) > 0)
        x->changes++;
    return r;
}

int index_known(struct index *x, const char *key, uint64_t *ret_file_size, int64_t *ret_file_time_ns, struct err *e)
{
    sqlite3_stmt *s = x->statement[FIND_OBJECT];
    int r;

    pthread_mutex_lock(&x->write.lock);
    sql_text(s, 1, key);
    if ((r = sql_step(s, e)) == 1) {
        *ret_file_size = sql_column_uint(s, 1);
        *ret_file_time_ns = sqlite3_column_int64(s, 2);
    }
    sqlite3_reset(s);
    pthread_mutex_unlock(&x->write.lock);
    return r;
}

int index_clear_others(struct index *x, struct err *e)
{
    return sql_do(x->statement[CLEAR_OTHERS], e);
}

int index_set_space(struct index *x, const char *namespace, uint64_t objects, uint64_t bytes, struct err *e)
{
    sqlite3_stmt *s = x->statement[SET_SPACE];

    sql_text(s, 1, namespace);
    sql_uint(s, 2, objects);
    sql_uint(s, 3, bytes);
    return sql_do(s, e);
}

int index_meta_set(struct index *x, const char *name, int64_t value, struct err *e)
{
    sqlite3_stmt *s = x->statement[META_SET];

    sql_text(s, 1, name);
    sql_int(s, 2, value);
    return sql_do(s, e);
}

int index_meta(struct index *x, const char *name, int64_t *ret, struct err *e)
{
    return find_number(x->statement[META_GET], name, ret, e);
}
