/* SPDX-License-Identifier: Apache-2.0
 *
 * SQL with its parameters, in pieces. Texts of users are parameters, never SQL.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "serve/catalogue.h"
#include "serve/catalogue_index.h"
#include "serve/sql.h"

enum { QUERY_PARAMETERS = 24 };

struct query {
    struct buf sql;
    struct {
        const char *text; /* NULL: the number */
        int64_t number;
    } parameter[QUERY_PARAMETERS];
    unsigned count;
    char *visible, *match; /* owned */
    bool many_hits;
    int result; /* the first failure; the rest is left out */
};

/* Prepares visible and match. */
void query_init(struct query *q, const struct catalogue_query *of);
void query_done(struct query *q);

void query_add(struct query *q, const char *sql);
void query_text(struct query *q, const char *sql, const char *text); /* text is borrowed */
void query_number(struct query *q, const char *sql, int64_t number);

/* Before query_filters, with the reading side's lock: puts the numbers of the cases that have these words into the
 * connection's table `hits`, which the filters name; not again if they are there since the same version of the index.
 */
int query_find_words(struct query *q, struct index *x, struct err *e);

/* " AND NAME.…" for each filter of the query: of the table of cases called `name`. */
void query_filters(struct query *q, const char *name, const struct catalogue_query *of);

/* SQL and parameters as one text: two queries of the same text ask the same. malloc'ed, NULL without memory. */
char *query_describe(const struct query *q);

/* Prepares and binds. q must live as long as the statement. */
int query_prepare(struct query *q, sqlite3 *db, sqlite3_stmt **ret, struct err *e);
