/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns are counted in code points: accurate enough for our help texts.
 */
#include "base/page.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum { WIDTH = 80, WIDTH_MIN = 40, WIDTH_MAX = 200 };

unsigned page_width(void)
{
    uint64_t columns;

    if (text_parse_uint(getenv("COLUMNS"), WIDTH_MAX, &columns) < 0 || columns < WIDTH_MIN)
        return WIDTH;
    return (unsigned)columns;
}

static bool shows_bold(FILE *out)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    return !(no_color && *no_color) && term && !text_eq(term, "dumb") && isatty(fileno(out));
}

void page_heading(FILE *out, const char *heading)
{
    bool bold = shows_bold(out);

    fprintf(out, "%s%s:%s\n", bold ? "\033[1m" : "", heading, bold ? "\033[0m" : "");
}

static unsigned count_columns(const char *text, size_t size)
{
    unsigned columns = 0;

    for (size_t i = 0; i < size; i++)
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

void page_wrap(FILE *out, unsigned column, const char *text)
{
    unsigned width = page_width(), at = column;

    while (*text) {
        size_t size = strcspn(text, " \n");
        unsigned columns = count_columns(text, size);

        if (size > 0) {
            if (at > column && at + 1 + columns > width) {
                fprintf(out, "\n%*s", (int)column, "");
                at = column;
            }
            fprintf(out, "%s%.*s", at > column ? " " : "", (int)size, text);
            at += columns + (at > column);
        }
        text += size;
        if (*text == '\n' && text[1]) {
            fputc('\n', out);
            if (text[1] != '\n')
                fprintf(out, "%*s", (int)column, "");
            at = column;
        }
        text += *text != '\0';
    }
    fputc('\n', out);
}

void page_roff(FILE *out, const char *text)
{
    bool begin = true;

    for (; *text; text++) {
        if (begin && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
        begin = *text == '\n';
    }
}
