/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions shared by the readers of texts, which need not end with NUL.
 */
#include "place/origin.h"

#include <string.h>

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

void origin_text(char *out, size_t out_size, const char *text, size_t size)
{
    while (size > 0 && is_blank(*text)) {
        text++;
        size--;
    }
    while (size > 0 && is_blank(text[size - 1]))
        size--;
    if (size >= out_size)
        size = out_size - 1;
    memcpy(out, text, size);
    out[size] = '\0';
}

int origin_line(const char **at, const char *end, const char **ret_line, size_t *ret_size)
{
    const char *line = *at, *stop;

    if (line >= end)
        return 0;
    stop = memchr(line, '\n', (size_t)(end - line));
    *at = stop ? stop + 1 : end;
    *ret_line = line;
    *ret_size = (size_t)((stop ? stop : end) - line);
    if (*ret_size > 0 && line[*ret_size - 1] == '\r')
        --*ret_size;
    return 1;
}

const char *origin_behind(const char *line, size_t size, const char *words)
{
    const char *at = memmem(line, size, words, strlen(words));

    return at ? at + strlen(words) : NULL;
}

uint64_t origin_number(const char *text, const char *end)
{
    uint64_t n = 0;

    for (; text < end && *text >= '0' && *text <= '9'; text++)
        n = n < UINT32_MAX ? n * 10 + (uint64_t)(*text - '0') : n;
    return n;
}
