/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields after the flags ("caller=T123", Linux 5.1) and lines after the text are skipped.
 */
#include "linux/kmsgrecord.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* A number and the separator after it. */
static bool parse_number(const char **at, const char *end, char separator, uint64_t *ret)
{
    const char *p = *at;
    uint64_t n = 0;

    for (; p < end && *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
            return false;
    if (p == *at || p == end || *p != separator)
        return false;
    *at = p + 1;
    *ret = n;
    return true;
}

/* The unescaped text is never longer than the original. */
static size_t unescape(const char *from, const char *end, char *text)
{
    size_t size = 0;

    while (from < end) {
        unsigned char byte = (unsigned char)*from;
        char digits[3] = "";

        if (byte == '\\' && end - from >= 4 && from[1] == 'x') {
            memcpy(digits, from + 2, 2);
            if (text_unhex(digits, &byte, 1) == 0)
                from += 3;
        }
        text[size++] = byte ? (char)byte : '?';
        from++;
    }
    text[size] = '\0';
    return size;
}

int kmsgrecord_parse(const char *data, size_t size, struct kmsgrecord *ret)
{
    const char *at = data, *end = data + size, *flags, *text, *text_end;
    uint64_t priority, sequence, usec;

    if (size >= sizeof(ret->text) || !parse_number(&at, end, ',', &priority) ||
        !parse_number(&at, end, ',', &sequence) || !parse_number(&at, end, ',', &usec))
        return -EBADMSG;
    flags = at;
    text = memchr(at, ';', (size_t)(end - at));
    if (!text || priority > UINT16_MAX)
        return -EBADMSG;
    text++;
    text_end = memchr(text, '\n', (size_t)(end - text));
    ret->size = unescape(text, text_end ? text_end : end, ret->text);
    ret->level = (unsigned)priority & 7;
    ret->facility = (unsigned)priority >> 3;
    ret->sequence = sequence;
    ret->usec = usec;
    ret->continued = *flags == 'c' || *flags == '+';
    return 0;
}
