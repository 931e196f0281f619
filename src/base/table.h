/* SPDX-License-Identifier: Apache-2.0
 *
 * A table with columns as wide as their content. Collects all rows before printing. Texts must be printable already
 * (text_printable).
 */
#pragma once

#include <stdbool.h>

#include "base/strv.h"

enum table_alignment { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
    const char *head;
    enum table_alignment alignment;
};

struct table {
    const struct table_column *columns; /* borrowed */
    unsigned count;
    struct strv cells;
};

/* Adds the next cell, row by row. 0 or -ENOMEM. */
int table_add(struct table *t, const char *text);

/* Appends the head and the rows to `to`; bold: the head in bold. 0, -ENOMEM, -EMSGSIZE. */
struct buf;
int table_print(const struct table *t, bool bold, struct buf *to);
void table_done(struct table *t);

/* Whether stdout may have colours: only on a terminal (https://no-color.org). */
bool table_colours(void);
