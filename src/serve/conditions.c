/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of entity tags, and dates to the second.
 */
#include "serve/conditions.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum { NS_PER_S = 1000000000 };

bool conditions_names(const char *list, const char *etag, bool weak)
{
    size_t size = strlen(etag);

    assert(size >= 2 && etag[0] == '"');
    list += strspn(list, " \t");
    if (text_eq(list, "*"))
        return true;
    while (*list) {
        bool is_weak = text_starts(list, "W/");
        const char *end;

        list += is_weak ? 2 : 0;
        if (*list != '"' || !(end = strchr(list + 1, '"')))
            return false;
        if ((size_t)(end + 1 - list) == size && memcmp(list, etag, size) == 0 && (weak || !is_weak))
            return true;
        list = end + 1;
        list += strspn(list, " \t");
        if (*list && *list != ',')
            return false;
        list += strspn(list, ", \t");
    }
    return false;
}

/* A malformed date is as none (13.1.3). */
static bool read_date(const char *text, int64_t *ret_s)
{
    int64_t ns;

    if (!text || clock_parse_http(text, &ns) < 0)
        return false;
    *ret_s = ns / NS_PER_S;
    return true;
}

unsigned conditions_status(const struct conditions *c, const struct validators *v)
{
    int64_t date;

    assert(c && v && v->etag);
    if (c->if_match) {
        if (!conditions_names(c->if_match, v->etag, false))
            return 412;
    } else if (read_date(c->if_unmodified_since, &date) && v->modified_s > date) {
        return 412;
    }
    if (c->if_none_match)
        return conditions_names(c->if_none_match, v->etag, true) ? 304 : 0;
    return read_date(c->if_modified_since, &date) && v->modified_s <= date ? 304 : 0;
}

bool conditions_range(const struct conditions *c, const struct validators *v)
{
    int64_t date;

    assert(c && v && v->etag);
    if (!c->if_range)
        return true;
    if (strchr(c->if_range, '"'))
        return text_eq(c->if_range, v->etag);
    return v->modified_strong && read_date(c->if_range, &date) && date == v->modified_s;
}
