/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite's calls with our errors. A connection is used by one thread at a time: its owner's lock.
 */
#pragma once

#include <sqlite3.h>
#include <stdint.h>

#include "base/err.h"

/* After a call that failed: -FAULT_CORRUPT (damaged, or no database), -FAULT_FULL, -FAULT_BUSY, -ENOMEM, or -EIO. */
int sql_fail(sqlite3 *db, struct err *e);

/* Statements without results, one or several. */
int sql_run(sqlite3 *db, const char *text, struct err *e);

int sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **ret, struct err *e);

/* 1: a row; 0: no further row, and the statement is reset; negative, and it is reset. */
int sql_step(sqlite3_stmt *s, struct err *e);

/* For a statement of which no rows are wanted: runs and resets it. */
int sql_do(sqlite3_stmt *s, struct err *e);

/* Parameters from 1 on. Texts are borrowed until the statement is reset; NULL is NULL. Numbers beyond SQLite's are cut
 * to them. */
void sql_text(sqlite3_stmt *s, int at, const char *text);
void sql_int(sqlite3_stmt *s, int at, int64_t value);
void sql_uint(sqlite3_stmt *s, int at, uint64_t value);

/* Columns from 0 on. The text is SQLite's until the next step. */
const char *sql_column_text(sqlite3_stmt *s, int at);
uint64_t sql_column_uint(sqlite3_stmt *s, int at); /* 0 for a negative one */

/* The first column of the first row of a statement without parameters; -1 if there is none. */
int64_t sql_number(sqlite3 *db, const char *text);

void sql_finish(sqlite3_stmt **s); /* for CLEANUP */
