/* SPDX-License-Identifier: Apache-2.0
 *
 * Explicit roles: a table whose rows are no longer displayed as such is none for a screen reader.
 */
#include "serve/page_table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "serve/page_chart.h"

void table_begin(struct table *t, const char *caption)
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

void table_end(struct table *t)
{
    html_end(t->h);
    html_end(t->h);
}

void table_row(struct table *t, const char *class)
{
    html_begin_class(t->h, "tr", class);
    html_attr(t->h, "role", "row");
    t->column = 0;
}

void table_row_end(struct table *t)
{
    assert(t->column == t->columns);
    html_end(t->h);
}

void table_head_begin(struct table *t)
{
    t->column++;
    html_begin(t->h, "th");
    html_attr(t->h, "scope", "row");
    html_attr(t->h, "role", "rowheader");
}

void table_head(struct table *t, const char *text)
{
    table_head_begin(t);
    html_text(t->h, text);
    html_end(t->h);
}

void table_cell_begin(struct table *t, const char *class)
{
    assert(t->column < t->columns);
    html_begin_class(t->h, "td", class);
    html_attr(t->h, "role", "cell");
    html_attr(t->h, "data-label", t->heads[t->column++]);
}

void table_cell(struct table *t, const char *text)
{
    table_cell_begin(t, "number");
    html_text(t->h, text);
    html_end(t->h);
}

void table_count(struct table *t, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, number);
    table_cell(t, text);
}

void table_size(struct table *t, uint64_t bytes)
{
    char text[TEXT_SIZE_MAX];

    table_cell(t, text_format_size(bytes, text));
}

void table_bar(struct table *t, uint64_t part, uint64_t whole)
{
    table_cell_begin(t, "graph");
    page_chart_bar(t->h, part, whole);
    html_end(t->h);
}

void table_change(struct table *t, int64_t change, uint64_t most)
{
    table_cell_begin(t, "graph");
    page_chart_change(t->h, change, most);
    html_end(t->h);
}
