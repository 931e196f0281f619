/* SPDX-License-Identifier: Apache-2.0
 *
 * Positions are in the order of a walk through the dominator tree: what an object dominates is one range of them.
 */
#include "inspect/suspects.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/java_name.h"
#include "base/mem.h"

enum { CHILD_TENTHS = 7, DEPTH_MAX = 1000 };

struct group {
    uint64_t bytes;
    uint32_t count, largest; /* position */
};

/* Keeps the largest SUSPECTS_MAX. */
static void add(struct suspects *s, const struct suspect *one)
{
    size_t at = s->count;

    while (at > 0 && s->suspect[at - 1].bytes < one->bytes)
        at--;
    if (at == SUSPECTS_MAX)
        return;
    if (s->count < SUSPECTS_MAX)
        s->count++;
    memmove(&s->suspect[at + 1], &s->suspect[at], (s->count - 1 - at) * sizeof(*one));
    s->suspect[at] = *one;
}

static int find_tops(const struct heap *h, const struct retained *r, struct suspects *s)
{
    uint64_t least = r->reachable / 100 * SUSPECT_PERCENT;
    CLEANUP_FREE struct group *groups = calloc(h->type_count + 1, sizeof(*groups));

    if (!groups)
        return -ENOMEM;
    for (uint32_t p = 1; p < r->count; p = retained_end(r, p)) {
        uint32_t node = retained_node(r, p), type = heap_type_of(h, node);
        uint64_t bytes = retained_bytes(r, p);

        if (bytes > least) {
            add(s, &(struct suspect){.node = node, .type = type, .count = 1, .at = p, .bytes = bytes});
            continue;
        }
        if (groups[type].count++ == 0 || bytes > retained_bytes(r, groups[type].largest))
            groups[type].largest = p;
        groups[type].bytes += bytes;
    }
    for (uint32_t t = 0; t < h->type_count; t++)
        if (groups[t].count > 1 && groups[t].bytes > least)
            add(s, &(struct suspect){.node = HEAP_NONE,
                                     .type = t,
                                     .count = groups[t].count,
                                     .bytes = groups[t].bytes,
                                     .at = groups[t].largest});
    return 0;
}

static uint32_t biggest_child(const struct retained *r, uint32_t over)
{
    uint32_t best = 0;

    for (uint32_t p = over + 1; p < retained_end(r, over); p = retained_end(r, p))
        if (best == 0 || retained_bytes(r, p) > retained_bytes(r, best))
            best = p;
    return best;
}

static void find_point(const struct retained *r, struct suspect *s)
{
    uint32_t p = s->at, child;

    for (unsigned depth = 0; depth < DEPTH_MAX && s->node != HEAP_NONE; depth++) {
        child = biggest_child(r, p);
        if (child == 0 || retained_bytes(r, child) < retained_bytes(r, p) / 10 * CHILD_TENTHS)
            break;
        p = child;
    }
    s->at = p;
    s->point = retained_node(r, p);
    s->point_bytes = retained_bytes(r, p);
}

/* The class that people know it by: of those that are not the runtime's the largest, unless all of them are little. */
static uint32_t choose(const struct heap *h, const struct group *of, uint64_t total)
{
    uint32_t own = HEAP_NONE, any = HEAP_NONE;

    for (uint32_t t = 0; t < h->type_count; t++) {
        const struct heap_type_info *type = &h->types[t];

        if (of[t].count == 0)
            continue;
        if (any == HEAP_NONE || of[t].bytes > of[any].bytes)
            any = t;
        if (!type->element && !java_name_is_runtime(type->name) && (own == HEAP_NONE || of[t].bytes > of[own].bytes))
            own = t;
    }
    return own != HEAP_NONE && of[own].bytes > total / 100 ? own : any;
}

/* What the point dominates, by class. */
static int find_content(const struct heap *h, const struct retained *r, struct suspect *s)
{
    CLEANUP_FREE struct group *of = calloc(h->type_count + 1, sizeof(*of));
    uint64_t total = 0;

    if (!of)
        return -ENOMEM;
    for (uint32_t p = s->at + 1; p < retained_end(r, s->at); p++) {
        uint32_t type = heap_type_of(h, retained_node(r, p));
        uint64_t bytes = retained_shallow(r, p);

        of[type].count++;
        of[type].bytes += bytes;
        total += bytes;
    }
    s->content = choose(h, of, total);
    if (s->content != HEAP_NONE) {
        s->content_count = of[s->content].count;
        s->content_bytes = of[s->content].bytes;
    }
    return 0;
}

void suspects_done(struct suspects *s)
{
    for (size_t i = 0; i < s->count; i++) {
        for (size_t j = 0; j < s->suspect[i].path_count; j++)
            free(s->suspect[i].path[j]);
        free(s->suspect[i].path);
        free(s->suspect[i].holder);
    }
    s->count = 0;
}

/* Objects of a group, evenly spread over the order of positions. */
static void sample_group(const struct heap *h, const struct retained *r, struct suspect *s)
{
    uint64_t least = r->reachable / 100 * SUSPECT_PERCENT;
    unsigned wanted = s->count < SUSPECT_SAMPLE ? s->count : SUSPECT_SAMPLE;
    uint64_t number = 0;

    for (uint32_t p = 1; p < r->count && s->sample_count < wanted; p = retained_end(r, p)) {
        uint32_t node = retained_node(r, p);

        if (heap_type_of(h, node) != s->type || retained_bytes(r, p) > least)
            continue;
        if (number++ == (uint64_t)s->sample_count * s->count / wanted)
            s->sample[s->sample_count++] = node;
    }
}

int suspects_find(const struct heap *h, const struct retained *r, struct suspects *ret)
{
    int result;

    assert(h && r && ret && ret->count == 0);
    result = find_tops(h, r, ret);
    for (size_t i = 0; i < ret->count && result == 0; i++) {
        struct suspect *s = &ret->suspect[i];

        find_point(r, s);
        if (s->node == HEAP_NONE)
            sample_group(h, r, s);
        s->sample[s->sample_count++] = s->point;
        result = find_content(h, r, s);
    }
    return result;
}
