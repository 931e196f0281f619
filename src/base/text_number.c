/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers, sizes and durations in text. Parsing is strict: a number followed by anything else is not a number.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Parses digits at text; *ret_end points after them. */
static int read_digits(const char *text, uint64_t *ret, const char **ret_end)
{
    uint64_t value = 0;
    bool over = false;

    if (!is_digit(*text))
        return -EINVAL;
    for (; is_digit(*text); text++)
        over |= __builtin_mul_overflow(value, 10u, &value) ||
                __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value);
    *ret = value;
    *ret_end = text;
    return over ? -ERANGE : 0;
}

int text_parse_uint(const char *text, uint64_t max, uint64_t *ret)
{
    const char *end = "";
    uint64_t value = 0;
    int r = text ? read_digits(text, &value, &end) : -EINVAL;

    if (r == -EINVAL || *end)
        return -EINVAL;
    if (r < 0 || value > max)
        return -ERANGE;
    *ret = value;
    return 0;
}

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit SIZE_UNITS[] = {
    {"", 1},
    {"B", 1},
    {"K", 1ull << 10},
    {"Ki", 1ull << 10},
    {"KB", 1ull << 10},
    {"KiB", 1ull << 10},
    {"M", 1ull << 20},
    {"Mi", 1ull << 20},
    {"MB", 1ull << 20},
    {"MiB", 1ull << 20},
    {"G", 1ull << 30},
    {"Gi", 1ull << 30},
    {"GB", 1ull << 30},
    {"GiB", 1ull << 30},
    {"T", 1ull << 40},
    {"Ti", 1ull << 40},
    {"TB", 1ull << 40},
    {"TiB", 1ull << 40},
};

static const struct unit DURATION_UNITS[] = {
    {"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
};

static int find_unit(const char *name, const struct unit *units, size_t count, uint64_t *ret)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(name, units[i].name) == 0) {
            *ret = units[i].factor;
            return 0;
        }
    return -EINVAL;
}

enum { MILLION = 1000000 };

/* "1.5" and a unit. Digits beyond the sixth decimal make no difference; a part of the smallest unit is malformed. */
static int parse_with_unit(const char *text, const struct unit *units, size_t count, uint64_t *ret)
{
    uint64_t whole = 0, millionths = 0, factor, value;
    const char *end;
    int r;

    if (!text)
        return -EINVAL;
    r = read_digits(text, &whole, &end);
    if (r == -EINVAL)
        return r;
    if (*end == '.') {
        uint64_t weight = MILLION / 10;

        if (!is_digit(*++end))
            return -EINVAL;
        for (; is_digit(*end); end++, weight /= 10)
            millionths += (uint64_t)(*end - '0') * weight;
        if (find_unit(end, units, count, &factor) == 0 && factor == 1)
            return -EINVAL;
    }
    if (find_unit(end, units, count, &factor) < 0)
        return -EINVAL;
    if (r < 0 || __builtin_mul_overflow(whole, factor, &value) ||
        __builtin_add_overflow(value, millionths * factor / MILLION, &value))
        return -ERANGE;
    *ret = value;
    return 0;
}

int text_parse_size(const char *text, uint64_t *ret_bytes)
{
    return parse_with_unit(text, SIZE_UNITS, ARRAY_SIZE(SIZE_UNITS), ret_bytes);
}

int text_parse_duration(const char *text, uint64_t *ret_ms)
{
    return parse_with_unit(text, DURATION_UNITS, ARRAY_SIZE(DURATION_UNITS), ret_ms);
}

const char *text_format_size(uint64_t bytes, char *out)
{
    static const char letters[] = "KMGTPE";
    uint64_t unit = 1024, tenths;
    unsigned i = 0;

    if (bytes < 1024) {
        snprintf(out, TEXT_SIZE_MAX, "%" PRIu64 " B", bytes);
        return out;
    }
    for (;; i++, unit *= 1024) {
        tenths = bytes / unit * 10 + (bytes % unit * 10 + unit / 2) / unit;
        if (tenths < 10240 || !letters[i + 1])
            break;
    }
    snprintf(out, TEXT_SIZE_MAX, "%u.%c %ciB", (unsigned)(tenths / 10), (char)('0' + tenths % 10), letters[i]);
    return out;
}

const char *text_format_signed_size(int64_t bytes, const char *minus, char *out)
{
    char size[TEXT_SIZE_MAX];

    assert(strlen(minus) <= TEXT_SIGNED_SIZE_MAX - TEXT_SIZE_MAX);
    text_format_size(bytes < 0 ? 0 - (uint64_t)bytes : (uint64_t)bytes, size);
    snprintf(out, TEXT_SIGNED_SIZE_MAX, "%s%s", bytes < 0 ? minus : "+", size);
    return out;
}

const char *text_format_duration(uint64_t seconds, char *out)
{
    unsigned minute = (unsigned)(seconds / 60 % 60), second = (unsigned)(seconds % 60);

    if (seconds < 3600)
        snprintf(out, TEXT_DURATION_MAX, "%u:%02u", minute, second);
    else
        snprintf(out, TEXT_DURATION_MAX, "%" PRIu64 ":%02u:%02u", seconds / 3600, minute, second);
    return out;
}
