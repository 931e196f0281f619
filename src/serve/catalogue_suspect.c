/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of its own: an analysis comes after the objects of its case, or is listed before them.
 */
#include "serve/catalogue_suspect.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text.h"
#include "ship/case_facts.h"
#include "ship/case_remove.h"
#include "ship/case_suspect.h"

enum { WAITING_MAX = 1000 * 1000 };

/* The number whose words are those of the case's suspect. */
static int64_t words_number(int64_t id)
{
    return (id << OBJECT_BITS) + CASE_OBJECTS_MAX;
}

int suspect_leave(struct index *x, int64_t id, struct err *e)
{
    sql_int(x->statement[DROP_WORDS], 1, words_number(id));
    return sql_do(x->statement[DROP_WORDS], e);
}

int suspect_join(struct index *x, int64_t id, struct err *e)
{
    sqlite3_stmt *of_case = x->statement[SUSPECT_OF_CASE], *words = x->statement[ADD_SUSPECT_WORDS];
    int r;

    sql_int(of_case, 1, id);
    if ((r = sql_do(of_case, e)) < 0)
        return r;
    sql_int(words, 1, words_number(id));
    sql_int(words, 2, id);
    return sql_do(words, e);
}

/* id: of the case. suspect NULL: there is no analysis; "": it suspects nothing. */
struct known_suspect {
    const char *id, *suspect;
    uint64_t file_size;
    int64_t file_time_ns;
};

static int find_case(struct index *x, const char *id, int64_t *ret, struct err *e)
{
    sqlite3_stmt *s = x->statement[FIND_CASE];
    int r;

    sql_text(s, 1, id);
    if ((r = sql_step(s, e)) == 1)
        *ret = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return r;
}

static int set(struct index *x, const struct known_suspect *k, struct err *e)
{
    sqlite3_stmt *s = x->statement[k->suspect ? SET_SUSPECT : DROP_SUSPECT];
    int64_t number = 0;
    int r;

    sql_text(s, 1, k->id);
    if (k->suspect) {
        sql_text(s, 2, *k->suspect ? k->suspect : NULL);
        sql_uint(s, 3, k->file_size);
        sql_int(s, 4, k->file_time_ns);
    }
    if ((r = sql_do(s, e)) < 0 || (r = find_case(x, k->id, &number, e)) <= 0)
        return r;
    x->changes++;
    return (r = suspect_leave(x, number, e)) < 0 ? r : suspect_join(x, number, e);
}

/* In a transaction. */
static int store(struct catalogue *c, const struct known_suspect *k, struct err *e)
{
    int r = index_begin(c->index, e);
    bool changed;

    if (r < 0)
        return r;
    r = set(c->index, k, e);
    changed = c->index->changes > 0;
    r = r == 0 ? index_commit(c->index, e) : index_rollback(c->index, r);
    if (r == 0 && changed)
        catalogue_bump(c);
    return r;
}

/* The case of an analysis: malloc'ed. */
static char *case_of(const char *key)
{
    return strndup(key, strlen(key) - strlen("/" CASE_ANALYSIS));
}

/* "CASE/analysis.json", or "OBJECT.analysis.json" of an object that is a case by itself. */
static int add_key(const char *id, struct buf *ret)
{
    return buf_printf(ret, "%s%s", id, case_is_folder(id) ? "/" CASE_ANALYSIS : "." CASE_ANALYSIS);
}

bool suspect_is_key(const char *key)
{
    CLEANUP_FREE char *id = NULL;
    CLEANUP(buf_done) struct buf again = {0};

    if (!text_ends(key, "/" CASE_ANALYSIS) && !text_ends(key, "." CASE_ANALYSIS))
        return false;
    return (id = case_of(key)) && *id && add_key(id, &again) == 0 && text_eq(buf_text(&again), key);
}

static int is_known(struct index *x, const char *id, const struct sink_listing_entry *entry, struct err *e)
{
    sqlite3_stmt *s = x->statement[FIND_SUSPECT];
    int r;

    pthread_mutex_lock(&x->write.lock);
    sql_text(s, 1, id);
    if ((r = sql_step(s, e)) == 1)
        r = sql_column_uint(s, 0) == entry->size &&
            (sqlite3_column_int64(s, 1) == entry->time_ns || sqlite3_column_int64(s, 1) == 0);
    sqlite3_reset(s);
    pthread_mutex_unlock(&x->write.lock);
    return r;
}

int pass_on_analysis(struct refresh *r, const struct sink_listing_entry *entry)
{
    struct new_manifest one = {.size = entry->size, .time_ns = entry->time_ns};
    CLEANUP_FREE char *id = case_of(entry->key);
    int known = id ? is_known(r->catalogue->index, id, entry, r->e) : -ENOMEM;

    if (known != 0)
        return known < 0 ? known : 0;
    if (array_reserve(&r->analyses, r->analysis_count + 1, &r->analysis_capacity, sizeof(one), WAITING_MAX) < 0)
        return -ENOMEM;
    one.key = TAKE_PTR(id);
    r->analyses[r->analysis_count++] = one;
    return 0;
}

/* 1: out has it; 0: there is no analysis; what is none suspects nothing. */
static int read_suspect(struct catalogue *c, void **connection, const char *key, uint64_t *ret_size,
                        char out[SUSPECT_MAX])
{
    CLEANUP(buf_done) struct buf text = {.ceiling = SUSPECT_JSON_MAX};
    struct err e = {0};
    int r = c->sink->ops->load(c->sink, connection, key, &text, &e);

    *out = '\0';
    if (r == -FAULT_NO_OBJECT)
        return 0;
    if (r < 0 && r != -EMSGSIZE)
        return r;
    *ret_size = text.size;
    if (r == 0 && case_suspect_of_analysis(buf_text(&text), text.size, out) < 0)
        *out = '\0';
    return 1;
}

int pass_read_suspects(struct refresh *r, struct err *e)
{
    struct sink *sink = r->catalogue->sink;
    void *connection = NULL;
    int result = 0;

    for (size_t i = 0; result == 0 && i < r->analysis_count && !pass_is_stopping(r); i++) {
        const struct new_manifest *one = &r->analyses[i];
        CLEANUP(buf_done) struct buf key = {0};
        char suspect[SUSPECT_MAX] = "";
        uint64_t size = 0;

        if (add_key(one->key, &key) < 0)
            result = err_set(e, -ENOMEM, "out of memory");
        else if (read_suspect(r->catalogue, &connection, buf_text(&key), &size, suspect) == 1)
            result = store(r->catalogue, &(struct known_suspect){one->key, suspect, one->size, one->time_ns}, e);
    }
    sink->ops->load_end(connection);
    return result;
}

static int find_gone(const struct refresh *r, struct strv *ret, struct err *e)
{
    CLEANUP(sql_finish) sqlite3_stmt *s = NULL;
    struct index *x = r->catalogue->index;
    int result = sql_prepare(index_read_begin(x), "SELECT path FROM suspects", &s, e);

    while (result == 0 && (result = sql_step(s, e)) == 1) {
        CLEANUP(buf_done) struct buf key = {0};
        const char *id = sql_column_text(s, 0);

        result = add_key(id, &key);
        if (result == 0 && !pass_has_listed(r, buf_text(&key)))
            result = strv_add(ret, id);
    }
    sql_finish(&s);
    s = NULL;
    index_read_end(x);
    return result == -ENOMEM ? err_set(e, result, "out of memory") : result;
}

int pass_drop_suspects(struct refresh *r, struct err *e)
{
    CLEANUP(strv_done) struct strv gone = {0};
    int result = find_gone(r, &gone, e);

    for (size_t i = 0; result == 0 && i < gone.count; i++)
        result = store(r->catalogue, &(struct known_suspect){.id = gone.item[i]}, e);
    return result;
}

int suspect_renew(struct catalogue *c, const char *key, struct err *e)
{
    CLEANUP_FREE char *id = case_of(key);
    char suspect[SUSPECT_MAX] = "";
    void *connection = NULL;
    uint64_t size = 0;
    int r = id ? read_suspect(c, &connection, key, &size, suspect) : err_set(e, -ENOMEM, "out of memory");

    c->sink->ops->load_end(connection);
    if (r < 0)
        return r == -ENOMEM ? r : catalogue_done_with_sink(c, r);
    return store(c, &(struct known_suspect){.id = id, .suspect = r == 1 ? suspect : NULL, .file_size = size}, e);
}

static int find(struct index *x, const char *id, char out[SUSPECT_MAX], struct err *e)
{
    CLEANUP(sql_finish) sqlite3_stmt *s = NULL;
    int r = sql_prepare(x->read.db, "SELECT coalesce(suspect, class, '') FROM cases WHERE path = ?", &s, e);

    if (r < 0)
        return r;
    sql_text(s, 1, id);
    if ((r = sql_step(s, e)) == 1)
        text_printable(sql_column_text(s, 0), out, SUSPECT_MAX);
    return r;
}

int catalogue_suspect(struct catalogue *c, const char *id, char out[SUSPECT_MAX])
{
    struct err e = {0};

    assert(c && id && out);
    return catalogue_leave(c, find(catalogue_enter(c), id, out, &e)) == 1;
}
