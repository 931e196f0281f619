/* SPDX-License-Identifier: Apache-2.0
 *
 * One blank between columns, and none at the end of a line.
 */
#include "base/table.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/mem.h"

enum { COLUMNS_MAX = 16 };

int table_add(struct table *t, const char *text)
{
    return strv_add(&t->cells, text);
}

/* Characters, not bytes. Double-width characters count as one. */
static unsigned width_of(const char *text)
{
    unsigned n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void measure(const struct table *t, unsigned width[COLUMNS_MAX])
{
    for (unsigned c = 0; c < t->count; c++)
        width[c] = width_of(t->columns[c].head);
    for (size_t i = 0; i < t->cells.count; i++) {
        unsigned w = width_of(t->cells.item[i]), c = (unsigned)(i % t->count);

        width[c] = w > width[c] ? w : width[c];
    }
}

static int add_cell(const struct table *t, unsigned column, unsigned width, const char *text, struct buf *to)
{
    int blanks = (int)(width - width_of(text));
    const char *between = column > 0 ? " " : "";

    if (t->columns[column].alignment == TABLE_RIGHT)
        return buf_printf(to, "%s%*s%s", between, blanks, "", text);
    return buf_printf(to, "%s%s%*s", between, text, column + 1 < t->count ? blanks : 0, "");
}

int table_print(const struct table *t, bool bold, struct buf *to)
{
    unsigned width[COLUMNS_MAX];
    int r;

    if (t->count == 0 || t->count > COLUMNS_MAX)
        return -EINVAL;
    measure(t, width);
    r = buf_add_text(to, bold ? "\033[1m" : "");
    for (unsigned c = 0; c < t->count && r == 0; c++)
        r = add_cell(t, c, width[c], t->columns[c].head, to);
    if (r == 0)
        r = buf_add_text(to, bold ? "\033[0m\n" : "\n");
    for (size_t i = 0; i < t->cells.count && r == 0; i++) {
        unsigned c = (unsigned)(i % t->count);

        r = add_cell(t, c, width[c], t->cells.item[i], to);
        if (r == 0 && c + 1 == t->count)
            r = buf_add_text(to, "\n");
    }
    return r;
}

void table_done(struct table *t)
{
    strv_done(&t->cells);
}

bool table_colours(void)
{
    return isatty(STDOUT_FILENO) && !env_get("NO_COLOR");
}
