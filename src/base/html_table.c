/* SPDX-License-Identifier: Apache-2.0
 *
 * Explicit roles: a table whose rows are no longer displayed as such is none for a screen reader.
 */
#include "base/html_table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/html_svg.h"
#include "base/text.h"

void html_table_begin(struct html_table *t, const char *caption)
{
    struct html *h = t->h;

    html_begin_class(h, "table", "bars");
    html_attr(h, "role", "table");
    html_element(h, "caption", NULL, caption);
    html_begin(h, "thead");
    html_attr(h, "role", "rowgroup");
    html_begin(h, "tr");
    html_attr(h, "role", "row");
    for (unsigned i = 0; i < t->columns; i++) {
        html_begin_class(h, "th", i > 0 && t->heads[i] ? "number" : NULL);
        html_attr(h, "scope", "col");
        html_attr(h, "role", "columnheader");
        html_element(h, "span", t->heads[i] ? NULL : "unseen", t->heads[i] ? t->heads[i] : "As a bar");
        html_end(h);
    }
    html_end(h);
    html_end(h);
    html_begin(h, "tbody");
    html_attr(h, "role", "rowgroup");
}

void html_table_end(struct html_table *t)
{
    html_end(t->h);
    html_end(t->h);
}

void html_table_row(struct html_table *t, const char *class)
{
    html_begin_class(t->h, "tr", class);
    html_attr(t->h, "role", "row");
    t->column = 0;
}

void html_table_row_end(struct html_table *t)
{
    assert(t->column == t->columns);
    html_end(t->h);
}

void html_table_head_begin(struct html_table *t)
{
    t->column++;
    html_begin(t->h, "th");
    html_attr(t->h, "scope", "row");
    html_attr(t->h, "role", "rowheader");
}

void html_table_head(struct html_table *t, const char *text)
{
    html_table_head_begin(t);
    html_text(t->h, text);
    html_end(t->h);
}

void html_table_cell_begin(struct html_table *t, const char *class)
{
    assert(t->column < t->columns);
    html_begin_class(t->h, "td", class);
    html_attr(t->h, "role", "cell");
    html_attr(t->h, "data-label", t->heads[t->column++]);
}

void html_table_cell(struct html_table *t, const char *text)
{
    html_table_cell_begin(t, "number");
    html_text(t->h, text);
    html_end(t->h);
}

void html_table_count(struct html_table *t, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, number);
    html_table_cell(t, text);
}

void html_table_size(struct html_table *t, uint64_t bytes)
{
    char text[TEXT_SIZE_MAX];

    html_table_cell_begin(t, "number");
    html_attr_number(t->h, "data-sort", bytes);
    html_text(t->h, text_format_size(bytes, text));
    html_end(t->h);
}

void html_table_bar(struct html_table *t, uint64_t part, uint64_t whole)
{
    html_table_cell_begin(t, "graph");
    html_svg_bar(t->h, part, whole);
    html_end(t->h);
}

void html_table_change(struct html_table *t, int64_t change, uint64_t most)
{
    html_table_cell_begin(t, "graph");
    html_svg_change(t->h, change, most);
    html_end(t->h);
}
