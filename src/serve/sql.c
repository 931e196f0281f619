/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite's calls with our errors.
 */
#include "serve/sql.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"

int sql_fail(sqlite3 *db, struct err *e)
{
    static const struct {
        int code, result;
    } rows[] = {
        {SQLITE_CORRUPT, -FAULT_CORRUPT}, {SQLITE_NOTADB, -FAULT_CORRUPT}, {SQLITE_FULL, -FAULT_FULL},
        {SQLITE_BUSY, -FAULT_BUSY},       {SQLITE_LOCKED, -FAULT_BUSY},    {SQLITE_NOMEM, -ENOMEM},
    };
    int code = sqlite3_errcode(db);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].code == code)
            return err_set(e, rows[i].result, "catalogue: %s", sqlite3_errmsg(db));
    return err_set(e, -EIO, "catalogue: %s", sqlite3_errmsg(db));
}

int sql_run(sqlite3 *db, const char *text, struct err *e)
{
    return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_fail(db, e);
}

int sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **ret, struct err *e)
{
    assert(db && text && !*ret);
    return sqlite3_prepare_v2(db, text, -1, ret, NULL) == SQLITE_OK ? 0 : sql_fail(db, e);
}

int sql_step(sqlite3_stmt *s, struct err *e)
{
    int code = sqlite3_step(s), r;

    if (code == SQLITE_ROW)
        return 1;
    r = code == SQLITE_DONE ? 0 : sql_fail(sqlite3_db_handle(s), e);
    sqlite3_reset(s);
    return r;
}

int sql_do(sqlite3_stmt *s, struct err *e)
{
    int r = sql_step(s, e);

    sqlite3_reset(s);
    return r < 0 ? r : 0;
}

void sql_text(sqlite3_stmt *s, int at, const char *text)
{
    if (text)
        sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(s, at);
}

void sql_int(sqlite3_stmt *s, int at, int64_t value)
{
    sqlite3_bind_int64(s, at, value);
}

void sql_uint(sqlite3_stmt *s, int at, uint64_t value)
{
    sqlite3_bind_int64(s, at, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

const char *sql_column_text(sqlite3_stmt *s, int at)
{
    return (const char *)sqlite3_column_text(s, at);
}

uint64_t sql_column_uint(sqlite3_stmt *s, int at)
{
    int64_t value = sqlite3_column_int64(s, at);

    return value < 0 ? 0 : (uint64_t)value;
}

int64_t sql_number(sqlite3 *db, const char *text)
{
    CLEANUP(sql_finish) sqlite3_stmt *s = NULL;
    struct err e;

    return sql_prepare(db, text, &s, &e) == 0 && sql_step(s, &e) == 1 ? sqlite3_column_int64(s, 0) : -1;
}

void sql_finish(sqlite3_stmt **s)
{
    sqlite3_finalize(*s);
}
