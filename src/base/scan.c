/* SPDX-License-Identifier: Apache-2.0
 *
 * Each function works on a copy of the position, and stores it on success only.
 */
#include "base/scan.h"

#include <string.h>

bool scan_word(const char **at, const char *word)
{
    size_t size = strlen(word);

    if (strncmp(*at, word, size) != 0)
        return false;
    *at += size;
    return true;
}

bool scan_number(const char **at, uint64_t *ret)
{
    const char *p = *at;
    uint64_t n = 0;

    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
            return false;
    if (p == *at)
        return false;
    *at = p;
    *ret = n;
    return true;
}

bool scan_int(const char **at, int64_t *ret)
{
    const char *p = *at;
    bool minus = scan_word(&p, "-");
    uint64_t n;

    if (!scan_number(&p, &n) || n > INT64_MAX)
        return false;
    *at = p;
    *ret = minus ? -(int64_t)n : (int64_t)n;
    return true;
}

bool scan_kb(const char **at, uint64_t *ret)
{
    const char *p = *at;
    uint64_t n;

    if (!scan_number(&p, &n) || !scan_word(&p, "kB") || __builtin_mul_overflow(n, 1024, &n))
        return false;
    *at = p;
    *ret = n;
    return true;
}

bool scan_copy(const char *text, const char *end, char *ret, size_t max)
{
    size_t size = (size_t)(end - text);

    if (size >= max)
        return false;
    memcpy(ret, text, size);
    ret[size] = '\0';
    return true;
}

const char *scan_last(const char *text, const char *end, const char *word)
{
    size_t size = strlen(word);

    for (size_t left = (size_t)(end - text); left >= size; left--)
        if (memcmp(text + left - size, word, size) == 0)
            return text + left - size;
    return NULL;
}
