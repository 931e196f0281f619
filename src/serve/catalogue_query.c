/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters as SQL.
 */
#include "serve/catalogue_query.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/jsonout.h"
#include "base/mem.h"
#include "ship/case_facts.h"

enum { BEGINNING = 3, MANY_HITS = 1000, WORDS_OF_QUERY = 10, TEXT_OF_QUERY_MAX = 512, NAMESPACE_TEXT_MAX = 1024 };

/* ["shop", "bank"]: SQLite's json_each makes rows of it. */
static char *visible_json(const char *const *visible)
{
    json_auto_t *list = json_array();

    for (; list && *visible; visible++)
        if (json_array_append_new(list, jsonout_text(*visible, NAMESPACE_TEXT_MAX)) < 0)
            return NULL;
    return list ? json_dumps(list, 0) : NULL;
}

/* Each word of the text as FTS5's "word"*; "" if there is none. The index has the first three and four bytes of each
 * word: shorter beginnings would have to be gathered of thousands of words. */
static char *match_of(const char *text)
{
    CLEANUP(buf_done) struct buf words = {.ceiling = TEXT_OF_QUERY_MAX};
    CLEANUP(buf_done) struct buf match = {0};
    CLEANUP_FREE char *cut = strndup(text, TEXT_OF_QUERY_MAX - 2);
    char *place = NULL;
    unsigned count = 0;

    if (!cut || case_words_add(cut, &words) < 0 || !words.data)
        return NULL;
    for (char *word = strtok_r(words.data, " ", &place); word && count < WORDS_OF_QUERY;
         word = strtok_r(NULL, " ", &place), count++)
        if (buf_printf(&match, "%s\"%s\"%s", count > 0 ? " " : "", word, strlen(word) < BEGINNING ? "" : "*") < 0)
            return NULL;
    return buf_take(&match);
}

void query_init(struct query *q, const struct catalogue_query *of)
{
    *q = (struct query){0};
    if ((of->visible && !(q->visible = visible_json(of->visible))) || (of->text && !(q->match = match_of(of->text))))
        q->result = -ENOMEM;
}

void query_done(struct query *q)
{
    buf_done(&q->sql);
    free(q->visible);
    free(q->match);
}

void query_add(struct query *q, const char *sql)
{
    if (q->result == 0)
        q->result = buf_add_text(&q->sql, sql);
}

static void add_parameter(struct query *q, const char *sql, const char *text, int64_t number)
{
    assert(q->count < QUERY_PARAMETERS);
    q->parameter[q->count].text = text;
    q->parameter[q->count++].number = number;
    query_add(q, sql);
}

void query_text(struct query *q, const char *sql, const char *text)
{
    add_parameter(q, sql, text, 0);
}

void query_number(struct query *q, const char *sql, int64_t number)
{
    add_parameter(q, sql, NULL, number);
}

/* " AND NAME.COLUMN…" */
static void column(struct query *q, const char *name, const char *rest)
{
    query_add(q, " AND ");
    query_add(q, name);
    query_add(q, rest);
}

static void filter_text(struct query *q, const char *name, const char *rest, const char *text)
{
    if (!text)
        return;
    column(q, name, rest);
    query_text(q, "", text);
}

static void filter_suspect(struct query *q, const char *name, const char *suspect)
{
    if (!suspect)
        return;
    query_add(q, " AND (");
    query_add(q, name);
    query_text(q, ".suspect = ? OR ", suspect);
    query_add(q, name);
    query_text(q, ".class = ?)", suspect);
}

static void filter_number(struct query *q, const char *name, const char *rest, int64_t number)
{
    if (number == 0)
        return;
    column(q, name, rest);
    query_number(q, "", number);
}

void query_filters(struct query *q, const char *name, const struct catalogue_query *of)
{
    filter_text(q, name, ".namespace IN (SELECT value FROM json_each(?))", q->visible);
    filter_text(q, name, ".namespace = ?", of->namespace);
    filter_text(q, name, ".workload = ?", of->workload);
    filter_text(q, name, ".pod = ?", of->pod);
    filter_text(q, name, ".cause = ?", of->cause);
    filter_suspect(q, name, of->suspect);
    filter_number(q, name, ".time_ns >= ?", of->since_ns);
    filter_number(q, name, ".time_ns <= ?", of->until_ns);
    if (!q->match || !*q->match)
        return;
    query_add(q, q->many_hits ? " AND +" : " AND "); /* +: by time, and not all of them sorted */
    query_add(q, name);
    query_add(q, ".id IN temp.hits");
}

static int fill_hits(sqlite3 *db, const char *match, struct err *e)
{
    CLEANUP(sql_finish) sqlite3_stmt *s = NULL;
    int r = sql_run(db, "CREATE TEMP TABLE IF NOT EXISTS hits(id INTEGER PRIMARY KEY); DELETE FROM temp.hits", e);

    if (r < 0 ||
        (r = sql_prepare(db, "INSERT OR IGNORE INTO temp.hits SELECT rowid >> 20 FROM words WHERE words MATCH ?", &s,
                         e)) < 0)
        return r;
    sql_text(s, 1, match);
    return sql_do(s, e);
}

int query_find_words(struct query *q, struct index *x, struct err *e)
{
    sqlite3 *db = x->read.db;
    int64_t version, before = sqlite3_total_changes64(db);
    int r;

    if (q->result < 0 || !q->match || !*q->match)
        return 0;
    version = index_version(x);
    if (x->hits && strcmp(x->hits, q->match) == 0 && x->hits_version == version) {
        q->many_hits = x->hits_count > MANY_HITS;
        return 0;
    }
    free(x->hits);
    x->hits = NULL;
    r = fill_hits(db, q->match, e);
    x->hits_changes += sqlite3_total_changes64(db) - before;
    x->hits_version = version;
    x->hits_count = r == 0 ? sqlite3_changes64(db) : 0;
    q->many_hits = x->hits_count > MANY_HITS;
    if (r == 0)
        x->hits = strdup(q->match); /* without memory they are found again */
    return r;
}

char *query_describe(const struct query *q)
{
    struct buf text = {0};
    int r = q->result < 0 ? q->result : buf_add_text(&text, buf_text(&q->sql));

    for (unsigned i = 0; r == 0 && i < q->count; i++)
        r = q->parameter[i].text ? buf_printf(&text, "\n%s", q->parameter[i].text)
                                 : buf_printf(&text, "\n%" PRId64, q->parameter[i].number);
    if (r == 0 && q->match)
        r = buf_printf(&text, "\n%s", q->match);
    if (r == 0)
        return buf_take(&text);
    buf_done(&text);
    return NULL;
}

int query_prepare(struct query *q, sqlite3 *db, sqlite3_stmt **ret, struct err *e)
{
    int r = q->result < 0 ? err_set(e, q->result, "out of memory") : sql_prepare(db, buf_text(&q->sql), ret, e);

    for (unsigned i = 0; r == 0 && i < q->count; i++) {
        if (q->parameter[i].text)
            sql_text(*ret, (int)i + 1, q->parameter[i].text);
        else
            sql_int(*ret, (int)i + 1, q->parameter[i].number);
    }
    return r;
}
