/* SPDX-License-Identifier: Apache-2.0
 *
 * Rights by namespace.
 */
#include <assert.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/caller.h"

enum { NAMESPACE_MAX = 255 };

static const unsigned ALL = RIGHT_LIST | RIGHT_READ | RIGHT_WRITE | RIGHT_DELETE | RIGHT_ADMIN;

int grants_add(struct grants *g, unsigned rights, const char *namespaces, bool exact)
{
    struct grant new = {.rights = rights, .exact = exact};
    int r;

    if ((r = array_reserve(&g->item, g->count + 1, &g->capacity, sizeof(*g->item), GRANTS_MAX)) < 0)
        return r;
    if (!(new.namespaces = strdup(namespaces)))
        return -ENOMEM;
    g->item[g->count++] = new;
    return 0;
}

int grants_copy(struct grants *to, const struct grants *from)
{
    int r;

    for (size_t i = 0; i < from->count; i++)
        if ((r = grants_add(to, from->item[i].rights, from->item[i].namespaces, from->item[i].exact)) < 0)
            return r;
    return 0;
}

void grants_done(struct grants *g)
{
    for (size_t i = 0; i < g->count; i++)
        free(g->item[i].namespaces);
    free(g->item);
    *g = (struct grants){0};
}

static bool pattern_covers(const char *pattern, size_t size, const char *namespace)
{
    char one[NAMESPACE_MAX + 1];

    if (size == 1 && *pattern == '*')
        return true;
    if (size > NAMESPACE_MAX || !*namespace || text_eq(namespace, "*"))
        return false;
    memcpy(one, pattern, size);
    one[size] = '\0';
    return fnmatch(one, namespace, FNM_NOESCAPE) == 0;
}

static bool grant_covers(const struct grant *g, const char *namespace)
{
    if (g->exact)
        return *namespace && text_eq(g->namespaces, namespace);
    for (const char *at = g->namespaces; *at;) {
        size_t size = strcspn(at, ",");

        if (pattern_covers(at, size, namespace))
            return true;
        at += size + (at[size] == ',');
    }
    return false;
}

unsigned grants_rights(const struct grants *g, const char *namespace)
{
    unsigned rights = 0;

    for (size_t i = 0; i < g->count; i++)
        if (grant_covers(&g->item[i], namespace))
            rights |= g->item[i].rights;
    if (rights & RIGHT_ADMIN)
        return ALL | (rights & RIGHT_AGENT);
    return rights & (RIGHT_READ | RIGHT_DELETE) ? rights | RIGHT_LIST : rights;
}

int caller_each_grant(const struct caller *c, int (*fn)(void *ctx, const char *namespaces, unsigned rights), void *ctx)
{
    int r = 0;

    for (size_t i = 0; i < c->grants.count && r == 0; i++)
        r = fn(ctx, c->grants.item[i].namespaces,
               c->grants.item[i].rights & RIGHT_ADMIN ? ALL : c->grants.item[i].rights);
    return r;
}

static bool is_of_a_pattern(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("._-*?", c));
}

bool grants_patterns_are_good(const char *patterns)
{
    size_t size = 0;

    for (const char *at = patterns;; at++) {
        if (!*at || *at == ',') {
            if (size == 0 || size > NAMESPACE_MAX)
                return false;
            if (!*at)
                return true;
            size = 0;
        } else if (!is_of_a_pattern(*at)) {
            return false;
        } else {
            size++;
        }
    }
}

int grants_parse_rights(const char *text, unsigned *ret)
{
    static const struct {
        const char *name;
        unsigned right;
    } NAMES[] = {
        {"list", RIGHT_LIST},   {"read", RIGHT_LIST | RIGHT_READ},
        {"write", RIGHT_WRITE}, {"delete", RIGHT_DELETE},
        {"admin", RIGHT_ADMIN}, {"agent", RIGHT_AGENT},
    };
    unsigned rights = 0;

    assert(text && ret);
    for (const char *at = text;;) {
        size_t size = strcspn(at, ",+"), i = 0; /* a list of groups has commas of its own */

        while (i < ARRAY_SIZE(NAMES) && (strlen(NAMES[i].name) != size || strncmp(NAMES[i].name, at, size) != 0))
            i++;
        if (i == ARRAY_SIZE(NAMES))
            return -EINVAL;
        rights |= NAMES[i].right;
        if (!at[size])
            break;
        at += size + 1;
    }
    *ret = rights;
    return 0;
}
