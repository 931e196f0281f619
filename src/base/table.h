/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns that are as wide as what is in them, for people. Holds all rows before it prints any. Text is to be fit for a
 * terminal already (text_printable).
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

/* The next cell; rows begin by themselves. 0 or -ENOMEM. */
int table_add(struct table *t, const char *text);

/* The head and the rows into to; bold: a head that stands out. 0, -ENOMEM, -EMSGSIZE. */
struct buf;
int table_print(const struct table *t, bool bold, struct buf *to);
void table_done(struct table *t);

/* Whether stdout may have colours: only on a terminal (https://no-color.org). */
bool table_colours(void);
