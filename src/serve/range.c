/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of ranges, element by element. Numbers beyond 64 bits are as the largest: they are well-formed, and behind
 * every end.
 */
#include "serve/range.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char UNIT[] = "bytes=";

/* One element as it was written. */
struct element {
    bool has_first, has_last;
    uint64_t first, last; /* without a first: last is how many bytes of the end */
};

static void skip_space(const char **at)
{
    *at += strspn(*at, " \t");
}

static bool read_number(const char **at, uint64_t *ret)
{
    uint64_t value = 0;

    if (!isdigit((unsigned char)**at))
        return false;
    for (; isdigit((unsigned char)**at); ++*at) {
        unsigned digit = (unsigned)(**at - '0');

        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
    }
    *ret = value;
    return true;
}

/* "0-99", "100-", "-50". */
static bool read_element(const char **at, struct element *ret)
{
    struct element r = {0};

    r.has_first = read_number(at, &r.first);
    if (**at != '-')
        return false;
    ++*at;
    r.has_last = read_number(at, &r.last);
    if ((!r.has_first && !r.has_last) || (r.has_first && r.has_last && r.last < r.first))
        return false;
    *ret = r;
    return true;
}

/* False if none of its bytes exists. */
static bool resolve(const struct element *e, uint64_t size, struct range *ret)
{
    uint64_t last = e->has_last && e->last < size ? e->last : size - 1;

    if (size == 0 || (e->has_first ? e->first >= size : e->last == 0))
        return false;
    if (e->has_first)
        *ret = (struct range){e->first, last - e->first + 1};
    else
        *ret = e->last < size ? (struct range){size - e->last, e->last} : (struct range){0, size};
    return true;
}

enum range_kind range_parse(const char *header, uint64_t size, struct ranges *ret)
{
    struct ranges ranges = {0};
    unsigned elements = 0;
    uint64_t bytes = 0;
    bool end_of_nothing = false; /* the last bytes of an empty file: satisfiable, but no 206 can say so */

    assert(ret);
    if (!header || strncasecmp(header, UNIT, strlen(UNIT)) != 0)
        return RANGE_WHOLE;
    for (const char *at = header + strlen(UNIT); *at;) {
        struct element e;

        skip_space(&at);
        if (*at != ',' && *at) { /* empty elements are allowed in lists (RFC 9110, 5.6.1) */
            if (++elements > RANGES_MAX || !read_element(&at, &e))
                return RANGE_WHOLE;
            if (resolve(&e, size, &ranges.range[ranges.count]))
                bytes += ranges.range[ranges.count++].size;
            end_of_nothing |= size == 0 && !e.has_first && e.last > 0;
            skip_space(&at);
        }
        if (*at && *at++ != ',')
            return RANGE_WHOLE;
        if (bytes > size)
            return RANGE_WHOLE;
    }
    if (elements == 0 || end_of_nothing)
        return RANGE_WHOLE;
    if (ranges.count == 0)
        return RANGE_UNSATISFIABLE;
    *ret = ranges;
    return RANGE_SOME;
}
