/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of an answer's head. A line that goes on from the one before (obsolete folding) or has no colon is ignored.
 */
#include "net/httphead.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"

enum { VALUE_MAX = 64, DAY_S = 24 * 60 * 60 };

static size_t trim(const char **text, size_t size)
{
    const char *t = *text;
    while (size > 0 && (*t == ' ' || *t == '\t'))
        t++, size--;
    while (size > 0 && (t[size - 1] == ' ' || t[size - 1] == '\t' || t[size - 1] == '\r'))
        size--;
    *text = t;
    return size;
}

const char *httphead_get(const char *head, size_t head_size, const char *name, char *out, size_t size)
{
    size_t name_size = strlen(name);
    for (const char *line = head, *end = head + head_size; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = newline ? newline : end;
        size_t line_size = (size_t)(line_end - line);
        if (line_size > name_size && line[name_size] == ':' && strncasecmp(line, name, name_size) == 0) {
            const char *value = line + name_size + 1;
            size_t value_size = trim(&value, (size_t)(line_end - value));
            if (value_size >= size || memchr(value, '\0', value_size))
                return NULL;
            memcpy(out, value, value_size);
            out[value_size] = '\0';
            return out;
        }
        line = newline ? newline + 1 : end;
    }
    return NULL;
}

unsigned httphead_retry_after_ms(const char *head, size_t head_size, int64_t now_ns)
{
    char value[VALUE_MAX], date[VALUE_MAX];
    if (!httphead_get(head, head_size, "Retry-After", value, sizeof(value)))
        return 0;
    uint64_t seconds;
    int r = text_parse_uint(value, DAY_S, &seconds);
    if (r == -ERANGE)
        return DAY_S * 1000u;
    if (r == 0)
        return (unsigned)seconds * 1000u;
    int64_t then_ns, from_ns;
    if (clock_parse_http(value, &then_ns) < 0)
        return 0;
    if (!httphead_get(head, head_size, "Date", date, sizeof(date)) || clock_parse_http(date, &from_ns) < 0)
        from_ns = now_ns;
    /* In whole seconds: two far dates must not overflow. */
    int64_t wait_s = then_ns / 1000000000 - from_ns / 1000000000;
    if (wait_s <= 0)
        return 0;
    return wait_s > DAY_S ? DAY_S * 1000u : (unsigned)wait_s * 1000u;
}
