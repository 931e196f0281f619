/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables with bars: a head for each row, numbers, a bar. On a phone a row becomes a paragraph: its cells then carry
 * their column's name, and roles say what browsers forget.
 */
#pragma once

#include "serve/html.h"

struct table {
    struct html *h;
    const char *const *heads; /* the row's head first; NULL: the column of bars */
    unsigned columns, column;
};

/* caption: says what the table shows. */
void table_begin(struct table *t, const char *caption);
void table_end(struct table *t);

void table_row(struct table *t, const char *class); /* begins one; class may be NULL */
void table_row_end(struct table *t);

/* The cells, from left to right. The head may hold a link: begin, write, html_end. */
void table_head(struct table *t, const char *text);
void table_head_begin(struct table *t);
void table_cell(struct table *t, const char *text); /* a number, or another short text */
void table_cell_begin(struct table *t, const char *class);
void table_count(struct table *t, uint64_t number);
void table_size(struct table *t, uint64_t bytes);
void table_bar(struct table *t, uint64_t part, uint64_t whole);
void table_change(struct table *t, int64_t change, uint64_t most);
