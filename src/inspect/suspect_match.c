/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The surest sign of sameness first, over all suspects, before a weaker one is asked for.
 */
#include "inspect/suspect_match.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "inspect/analysis.h"

struct side {
    const json_t *heap;
    const json_t *suspect[COMPARISON_SUSPECTS_MAX];
    bool matched[COMPARISON_SUSPECTS_MAX];
    size_t count;
};

static const char *text_of(const json_t *s, const char *name)
{
    return analysis_text(s, name);
}

static bool same(const json_t *a, const json_t *b, const char *name)
{
    return text_eq(text_of(a, name), text_of(b, name));
}

static bool is_group(const json_t *s)
{
    return analysis_number(s, "count") > 1;
}

static bool is_static(const json_t *s)
{
    return text_starts(text_of(s, "holder"), "static ");
}

/* Equal but for numbers: of threads, lines, generated classes. */
static bool alike(const char *a, const char *b)
{
    while (*a && *b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            while (isdigit((unsigned char)*a))
                a++;
            while (isdigit((unsigned char)*b))
                b++;
        } else if (*a++ != *b++) {
            return false;
        }
    }
    return *a == *b;
}

static bool same_exactly(const json_t *a, const json_t *b)
{
    return *text_of(b, "holder") && same(a, b, "holder") && same(a, b, "class") && same(a, b, "point_class") &&
           is_group(a) == is_group(b);
}

static bool same_holder(const json_t *a, const json_t *b)
{
    return *text_of(b, "holder") && same(a, b, "holder");
}

static bool same_group(const json_t *a, const json_t *b)
{
    return is_group(a) && is_group(b) && same(a, b, "class");
}

static bool same_kind(const json_t *a, const json_t *b)
{
    return !is_static(a) && !is_static(b) && is_group(a) == is_group(b) && same(a, b, "class") &&
           same(json_object_get(a, "content"), json_object_get(b, "content"), "class") &&
           alike(text_of(a, "holder"), text_of(b, "holder"));
}

static bool (*const SIGNS[])(const json_t *a, const json_t *b) = {same_exactly, same_holder, same_group, same_kind};

static struct side read_side(const json_t *heap)
{
    const json_t *list = json_object_get(heap, "suspects");
    struct side s = {.heap = heap};
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one)
    {
        if (s.count == COMPARISON_SUSPECTS_MAX)
            break;
        if (json_is_object(one))
            s.suspect[s.count++] = one;
    }
    return s;
}

/* --- what is no suspect in the other heap --- */

/* A node right below the roots of the dominator tree. */
static bool is_top(const json_t *node)
{
    const json_t *parent = json_object_get(node, "parent");

    return json_is_integer(parent) && json_integer_value(parent) == 0;
}

/* A library's class may be anybody's. */
static bool says_enough(const json_t *node)
{
    const char *class = text_of(node, "class");

    return *text_of(node, "of_class") || !(text_starts(class, "java.") || text_starts(class, "javax.") ||
                                           text_starts(class, "jdk.") || text_starts(class, "sun."));
}

/* The only node below `parent` (-1: anywhere) with this text; its index, or -1. */
static json_int_t find_only(const json_t *tree, json_int_t parent, const char *field, const char *text)
{
    json_int_t found = -1;
    size_t i;
    json_t *node;

    json_array_foreach(tree, i, node)
    {
        const json_t *above = json_object_get(node, "parent");

        if (analysis_number(node, "count") != 1 || !text_eq(text_of(node, field), text) ||
            (parent >= 0 && !(json_is_integer(above) && json_integer_value(above) == parent)))
            continue;
        if (found >= 0)
            return -1;
        found = (json_int_t)i;
    }
    return found;
}

/* "static com.shop.Cart.CACHE (java.util.HashMap)": the HashMap right below the class object of com.shop.Cart. */
static bool find_static(const json_t *heap, const json_t *s, uint64_t *ret)
{
    const char *holder = text_of(s, "holder"), *name, *open, *dot;
    const json_t *tree = json_object_get(heap, "tree");
    json_int_t at;

    if (!is_static(s) || !text_ends(holder, ")"))
        return false;
    name = holder + strlen("static ");
    if (!(open = strstr(name, " (")) || !(dot = memrchr(name, '.', (size_t)(open - name))))
        return false;
    CLEANUP_FREE char *class = strndup(name, (size_t)(dot - name));
    CLEANUP_FREE char *type = strndup(open + 2, strlen(open + 2) - 1);

    if (!class || !type || (at = find_only(tree, -1, "of_class", class)) < 0 ||
        (at = find_only(tree, at, "class", type)) < 0)
        return false;
    *ret = analysis_number(json_array_get(tree, (size_t)at), "retained_bytes");
    return true;
}

/* The suspect's own node in its own heap: of its class and size. NULL: not found, or one of several. */
static const json_t *node_of(const json_t *heap, const json_t *s)
{
    const json_t *tree = json_object_get(heap, "tree"), *found = NULL;
    size_t i;
    json_t *node;

    json_array_foreach(tree, i, node)
    {
        if (!is_top(node) || analysis_number(node, "count") != 1 || !same(node, s, "class") ||
            analysis_number(node, "retained_bytes") != analysis_number(s, "retained_bytes"))
            continue;
        if (found)
            return NULL;
        found = node;
    }
    return found;
}

/* The only node that is the same thing as this one of another heap. */
static bool find_node(const json_t *heap, const json_t *like, uint64_t *ret)
{
    const json_t *tree = json_object_get(heap, "tree"), *found = NULL;
    size_t i;
    json_t *node;

    json_array_foreach(tree, i, node)
    {
        if (!is_top(node) || analysis_number(node, "count") != 1 || !same(node, like, "class") ||
            !same(node, like, "of_class"))
            continue;
        if (found)
            return false;
        found = node;
    }
    if (found)
        *ret = analysis_number(found, "retained_bytes");
    return found != NULL;
}

static bool find_group(const json_t *heap, const json_t *s, uint64_t *ret)
{
    const json_t *tree = json_object_get(heap, "tree");
    uint64_t sum = 0;
    size_t i;
    json_t *node;

    json_array_foreach(tree, i, node)
    {
        uint64_t bytes = analysis_number(node, "retained_bytes");

        if (is_top(node) && same(node, s, "class") && bytes <= INT64_MAX - sum)
            sum += bytes;
    }
    if (sum > 0)
        *ret = sum;
    return sum > 0;
}

/* ret: what s keeps alive in its own heap, and the same in the other one. */
static bool find_elsewhere(const struct side *own, const struct side *other, const json_t *s, uint64_t *ret_own,
                           uint64_t *ret_other)
{
    uint64_t exact;
    const json_t *node;

    if (is_group(s))
        return find_group(other->heap, s, ret_other);
    if (find_static(own->heap, s, &exact) && find_static(other->heap, s, ret_other)) {
        *ret_own = exact; /* the suspect may be more: the loader of its class */
        return true;
    }
    node = node_of(own->heap, s);
    return node && says_enough(node) && find_node(other->heap, node, ret_other);
}

/* --- all of it --- */

static enum suspect_change change_of(const struct compared_suspect *s)
{
    if (!s->known[0] || !s->known[1])
        return s->known[1] ? SUSPECT_NEW : SUSPECT_GONE;
    if (s->retained[0] == s->retained[1])
        return SUSPECT_SAME;
    return s->retained[1] > s->retained[0] ? SUSPECT_GREW : SUSPECT_SHRANK;
}

/* The suspects at these places; -1: there is none. */
static void put(struct comparison *ret, const struct side side[2], const int at[2])
{
    struct compared_suspect *s = &ret->suspect[ret->suspects++];

    *s = (struct compared_suspect){0};
    for (unsigned i = 0; i < 2; i++) {
        if (at[i] < 0)
            continue;
        s->of[i] = side[i].suspect[at[i]];
        s->known[i] = true;
        s->retained[i] = analysis_number(s->of[i], "retained_bytes");
    }
    for (unsigned i = 0; i < 2; i++)
        if (at[i] < 0)
            s->known[i] = find_elsewhere(&side[!i], &side[i], s->of[!i], &s->retained[!i], &s->retained[i]);
    s->change = change_of(s);
}

static void match_by(struct comparison *ret, struct side side[2], bool (*sign)(const json_t *a, const json_t *b))
{
    for (size_t j = 0; j < side[1].count; j++) {
        for (size_t i = 0; i < side[0].count && !side[1].matched[j]; i++) {
            if (side[0].matched[i] || !sign(side[0].suspect[i], side[1].suspect[j]))
                continue;
            side[0].matched[i] = side[1].matched[j] = true;
            put(ret, side, (const int[]){(int)i, (int)j});
        }
    }
}

static int by_growth(const void *a, const void *b)
{
    const struct compared_suspect *x = a, *y = b;
    int64_t p = comparison_growth(x->retained), q = comparison_growth(y->retained);

    if (p != q)
        return p > q ? -1 : 1;
    if (x->retained[1] != y->retained[1])
        return x->retained[1] > y->retained[1] ? -1 : 1;
    return 0;
}

void suspects_match(const json_t *before, const json_t *after, struct comparison *ret)
{
    struct side side[2] = {read_side(before), read_side(after)};

    for (size_t n = 0; n < ARRAY_SIZE(SIGNS); n++)
        match_by(ret, side, SIGNS[n]);
    for (size_t j = 0; j < side[1].count; j++)
        if (!side[1].matched[j])
            put(ret, side, (const int[]){-1, (int)j});
    for (size_t i = 0; i < side[0].count; i++)
        if (!side[0].matched[i])
            put(ret, side, (const int[]){(int)i, -1});
    qsort(ret->suspect, ret->suspects, sizeof(*ret->suspect), by_growth);
}

const json_t *compared_suspect_json(const struct compared_suspect *s)
{
    return s->of[1] ? s->of[1] : s->of[0];
}

const char *suspect_change_name(enum suspect_change change)
{
    static const char *const names[] = {"grew", "new", "same", "shrank", "gone"};

    return names[change];
}
