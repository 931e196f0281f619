/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables with bars: a head for each row, numbers, a bar. On a phone a row becomes a paragraph: its cells then carry
 * their column's name, and roles say what browsers forget.
 */
#pragma once

#include "base/html.h"

struct html_table {
    struct html *h;
    const char *const *heads; /* the row's head first; NULL: the column of bars */
    unsigned columns, column;
};

/* caption: says what the table shows. */
void html_table_begin(struct html_table *t, const char *caption);
void html_table_end(struct html_table *t);

void html_table_row(struct html_table *t, const char *class); /* begins one; class may be NULL */
void html_table_row_end(struct html_table *t);

/* The cells, from left to right. The head may hold a link: begin, write, html_end. */
void html_table_head(struct html_table *t, const char *text);
void html_table_head_begin(struct html_table *t);
void html_table_cell(struct html_table *t, const char *text); /* a number, or another short text */
void html_table_cell_begin(struct html_table *t, const char *class);
void html_table_count(struct html_table *t, uint64_t number);
void html_table_size(struct html_table *t, uint64_t bytes);
void html_table_bar(struct html_table *t, uint64_t part, uint64_t whole);
void html_table_change(struct html_table *t, int64_t change, uint64_t most);
