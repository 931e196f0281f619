/* SPDX-License-Identifier: Apache-2.0
 *
 * The catalogue's file: opened, thrown away, made anew. catalogue_put.c writes its rows.
 */
#include "serve/catalogue_index.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/catalogue_schema.h"

/* Together at most 4 MiB of pages. A statement that sorts keeps a few bytes for each row it sorts. */
#define SETTINGS(cache)                                                                                                \
    "PRAGMA cache_size = -" cache ";"                                                                                  \
    "PRAGMA temp_store = MEMORY;"                                                                                      \
    "PRAGMA mmap_size = 0;"                                                                                            \
    "PRAGMA synchronous = NORMAL;"                                                                                     \
    "PRAGMA journal_size_limit = 4194304;"                                                                             \
    "PRAGMA trusted_schema = OFF;"                                                                                     \
    "PRAGMA cell_size_check = ON;"

enum { BUSY_MS = 5000 };

static void close_side(struct index_side *side)
{
    sqlite3_close(side->db);
    side->db = NULL;
}

static void close_both(struct index *x)
{
    for (size_t i = 0; i < INDEX_STATEMENTS; i++) {
        sqlite3_finalize(x->statement[i]);
        x->statement[i] = NULL;
    }
    free(x->hits);
    x->hits = NULL;
    if (x->in_memory)
        x->read.db = NULL;
    close_side(&x->read);
    close_side(&x->write);
}

/* Where SQLite would put a file without a name, which it removes while it is open. */
static bool has_temporary_folder(void)
{
    const char *const folders[] = {getenv("SQLITE_TMPDIR"), getenv("TMPDIR"), "/var/tmp", "/usr/tmp", "/tmp"};

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
        if (folders[i] && access(folders[i], W_OK | X_OK) == 0)
            return true;
    return false;
}

static int open_side(struct index *x, struct index_side *side, const char *settings, struct err *e)
{
    const char *name = !x->in_memory ? x->file : has_temporary_folder() ? "" : ":memory:";
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_open_v2(name, &side->db, flags, NULL) != SQLITE_OK)
        return side->db ? sql_fail(side->db, e) : err_set(e, -ENOMEM, "out of memory");
    sqlite3_busy_timeout(side->db, BUSY_MS);
    return sql_run(side->db, settings, e);
}

/* Why this file can't be used as it is; NULL if it can. */
static const char *unusable(struct index *x)
{
    CLEANUP(sql_finish) sqlite3_stmt *s = NULL;
    struct err e;

    if (sql_number(x->write.db, "PRAGMA application_id") != CATALOGUE_APPLICATION)
        return "it is no catalogue";
    if (sql_number(x->write.db, "PRAGMA user_version") != CATALOGUE_SCHEMA)
        return "it is of another version";
    if (sql_prepare(x->write.db, "SELECT 1 FROM meta WHERE name = 'store:' || ?", &s, &e) < 0)
        return "it is damaged";
    sql_text(s, 1, x->store);
    if (sql_step(s, &e) != 1)
        return "it is of another store";
    sql_finish(&s);
    s = NULL;
    if (sql_prepare(x->write.db,
                    "SELECT c.id FROM loops l JOIN cases c ON c.id = l.newest JOIN objects o"
                    " ON o.id >> 20 = c.id ORDER BY l.last_ns DESC LIMIT 1",
                    &s, &e) < 0 ||
        sql_step(s, &e) < 0)
        return "it is damaged";
    return NULL;
}

static int make_tables(struct index *x, struct err *e)
{
    CLEANUP(sql_finish) sqlite3_stmt *s = NULL;
    char numbers[100];
    int r;

    snprintf(numbers, sizeof(numbers), "PRAGMA application_id = %d; PRAGMA user_version = %d", CATALOGUE_APPLICATION,
             CATALOGUE_SCHEMA);
    if ((r = sql_run(x->write.db, CATALOGUE_TABLES, e)) < 0 ||
        (r = sql_prepare(x->write.db, "INSERT INTO meta VALUES('store:' || ?, 1)", &s, e)) < 0)
        return r;
    sql_text(s, 1, x->store);
    return (r = sql_do(s, e)) < 0 ? r : sql_run(x->write.db, numbers, e);
}

static int prepare(struct index *x, struct err *e)
{
    for (size_t i = 0; i < INDEX_STATEMENTS; i++) {
        int r = sql_prepare(x->write.db, CATALOGUE_STATEMENTS[i], &x->statement[i], e);

        if (r < 0)
            return r;
    }
    return 0;
}

/* Readers of the file must not be able to read names and command lines that they may not read in the store. */
static int make_file(struct index *x, struct err *e)
{
    CLEANUP_FD int fd = -1;

    if (x->in_memory)
        return 0;
    fd = open(x->file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    return fd < 0 ? err_set(e, -FAULT_STATE, "cannot make the catalogue %s: %s", x->file, strerror(errno)) : 0;
}

static int connect_both(struct index *x, bool fresh, struct err *e)
{
    int r;

    if ((r = make_file(x, e)) < 0 || (r = open_side(x, &x->write, SETTINGS("2048"), e)) < 0)
        return r;
    if (!x->in_memory && (r = sql_run(x->write.db, "PRAGMA journal_mode = WAL", e)) < 0)
        return r;
    if (fresh && (r = make_tables(x, e)) < 0)
        return r;
    return 0;
}

static int finish(struct index *x, struct err *e)
{
    int r;

    if ((r = prepare(x, e)) < 0)
        return r;
    if (!x->in_memory)
        return open_side(x, &x->read, SETTINGS("2048"), e);
    x->read.db = x->write.db;
    return 0;
}

static void unlink_all(const struct index *x)
{
    static const char *const ENDS[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; i < ARRAY_SIZE(ENDS); i++) {
        CLEANUP(buf_done) struct buf name = {0};

        if (buf_printf(&name, "%s%s", x->file, ENDS[i]) == 0)
            unlink(buf_text(&name));
    }
}

static int make_anew(struct index *x, struct err *e)
{
    int r;

    close_both(x);
    if (!x->in_memory)
        unlink_all(x);
    return (r = connect_both(x, true, e)) < 0 ? r : finish(x, e);
}

static int open_file(struct index *x, const char **ret_why, struct err *e)
{
    const char *why = NULL;
    bool fresh = x->in_memory || access(x->file, F_OK) < 0;
    int r = connect_both(x, fresh, e);

    if (fresh || r == -FAULT_STATE)
        return r < 0 ? r : finish(x, e);
    if (r < 0)
        why = "it is damaged";
    else if (!(why = unusable(x)))
        return finish(x, e);
    *ret_why = why;
    return make_anew(x, e);
}

static void init_locks(struct index *x)
{
    pthread_mutex_init(&x->write.lock, NULL);
    pthread_mutex_init(&x->read.lock, NULL);
}

DEFINE_CLEANUP(struct index *, index_close)

int index_open(const char *file, const char *store, struct index **ret, const char **ret_why, struct err *e)
{
    CLEANUP(index_close_ptr) struct index *x = calloc(1, sizeof(*x));
    int r;

    assert(store && ret && ret_why);
    *ret_why = NULL;
    if (!x)
        return err_set(e, -ENOMEM, "out of memory");
    init_locks(x);
    x->in_memory = !file;
    if ((file && !(x->file = strdup(file))) || !(x->store = strdup(store)))
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = open_file(x, ret_why, e)) < 0)
        return r;
    *ret = TAKE_PTR(x);
    return 0;
}

void index_close(struct index *x)
{
    if (!x)
        return;
    close_both(x);
    pthread_mutex_destroy(&x->write.lock);
    pthread_mutex_destroy(&x->read.lock);
    free(x->file);
    free(x->store);
    free(x);
}

int index_remake(struct index *x, struct err *e)
{
    int r;

    pthread_mutex_lock(&x->write.lock);
    pthread_mutex_lock(&x->read.lock);
    x->remade++;
    r = make_anew(x, e);
    pthread_mutex_unlock(&x->read.lock);
    pthread_mutex_unlock(&x->write.lock);
    return r;
}

sqlite3 *index_read_begin(struct index *x)
{
    pthread_mutex_lock(x->in_memory ? &x->write.lock : &x->read.lock);
    return x->read.db;
}

void index_read_end(struct index *x)
{
    pthread_mutex_unlock(x->in_memory ? &x->write.lock : &x->read.lock);
}

int64_t index_version(struct index *x)
{
    int64_t version = x->in_memory ? sqlite3_total_changes64(x->write.db) - x->hits_changes
                                   : sql_number(x->read.db, "PRAGMA data_version");

    return version + ((int64_t)x->remade << 48);
}

int index_begin(struct index *x, struct err *e)
{
    int r;

    pthread_mutex_lock(&x->write.lock);
    x->changes = 0;
    if ((r = x->write.db ? sql_run(x->write.db, "BEGIN IMMEDIATE", e) : err_set(e, -EIO, "catalogue: it is closed")) <
        0)
        pthread_mutex_unlock(&x->write.lock);
    return r;
}

int index_commit(struct index *x, struct err *e)
{
    int r = sql_run(x->write.db, "COMMIT", e);

    if (r < 0)
        sqlite3_exec(x->write.db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&x->write.lock);
    return r;
}

int index_rollback(struct index *x, int result)
{
    sqlite3_exec(x->write.db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&x->write.lock);
    return result;
}
