/* SPDX-License-Identifier: Apache-2.0
 *
 * "…, used 5314K" of a generation or a whole heap, or Shenandoah's "…, 5376K used". Spaces of a generation are given in
 * percent and ignored; metaspace is not heap.
 */
#include "hotspot/heapinfo.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Parses "5314K" at the beginning of size bytes; false if it is not a size. */
static bool parse_size(const char *at, size_t size, uint64_t *ret)
{
    static const char units[] = "BKMG";
    size_t digits = 0;
    const char *unit;
    char number[24];
    uint64_t value;

    while (digits < size && isdigit((unsigned char)at[digits]))
        digits++;
    if (digits == 0 || digits >= sizeof(number) || digits == size || !(unit = strchr(units, at[digits])) || !*unit)
        return false;
    snprintf(number, sizeof(number), "%.*s", (int)digits, at);
    if (text_parse_uint(number, UINT64_MAX >> 10 * (unit - units), &value) < 0)
        return false;
    *ret = value << 10 * (unit - units);
    return true;
}

static bool used_of(const char *line, size_t length, uint64_t *ret)
{
    static const char word[] = "used";
    const size_t size = sizeof(word) - 1;

    for (size_t i = 1; i + size <= length; i++) {
        size_t begin = i - 1;

        if (line[i - 1] != ' ' || memcmp(line + i, word, size) != 0)
            continue;
        if (i + size + 1 < length && line[i + size] == ' ' &&
            parse_size(line + i + size + 1, length - i - size - 1, ret))
            return true;
        while (begin > 0 && line[begin - 1] != ' ')
            begin--;
        if (parse_size(line + begin, i - begin, ret))
            return true;
    }
    return false;
}

static bool is_no_heap(const char *line)
{
    line += strspn(line, " ");
    return text_starts(line, "Metaspace") || text_starts(line, "class space");
}

int heapinfo_used(const char *text, uint64_t *ret_bytes)
{
    uint64_t sum = 0, bytes;
    bool found = false;

    while (*text) {
        size_t length = strcspn(text, "\n");

        if (!is_no_heap(text) && used_of(text, length, &bytes)) {
            sum = bytes < UINT64_MAX - sum ? sum + bytes : UINT64_MAX;
            found = true;
        }
        text += length + (text[length] == '\n');
    }
    if (!found)
        return -EBADMSG;
    *ret_bytes = sum;
    return 0;
}
