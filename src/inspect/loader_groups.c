/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts names by the class of their loader.
 */
#include "inspect/loader_groups.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* The class of the loader of a class; HEAP_NONE: it is the JVM's, or the class is an array's. */
static uint32_t loader_type(const struct heap *h, const struct heap_sets *s, uint32_t type)
{
    uint32_t loader = h->types[type].element ? HEAP_NONE : s->loader_of[type];

    return loader == HEAP_NONE || s->loader[loader].node == HEAP_NONE ? HEAP_NONE
                                                                      : heap_type_of(h, s->loader[loader].node);
}

static uint64_t key_of(const struct heap *h, uint32_t type, uint32_t loader)
{
    return XXH3_64bits_withSeed(h->types[type].name, strlen(h->types[type].name), loader);
}

static struct loader_group *group_of(struct loader_groups *g, uint32_t type)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->group[i].type == type)
            return &g->group[i];
    if (g->count == LOADER_GROUPS_MAX)
        return NULL;
    g->group[g->count] = (struct loader_group){.type = type, .class = HEAP_NONE};
    return &g->group[g->count++];
}

/* names: how many loaders have the name; what is looked at a second time counts no more. */
static int add(const struct heap *h, struct loader_groups *g, uint32_t type, uint32_t loader, struct id_map *names)
{
    uint64_t key = key_of(h, type, loader);
    uint32_t count = id_map_get(names, key);
    struct loader_group *group;

    if (count < 2 || count == ID_MAP_NONE || !(group = group_of(g, loader)))
        return 0;
    group->classes++;
    if (count > group->loaders ||
        (count == group->loaders && strcmp(h->types[type].name, h->types[group->class].name) < 0)) {
        group->loaders = count;
        group->class = type;
    }
    return id_map_put(names, key, 0);
}

static int most_first(const void *a, const void *b)
{
    const struct loader_group *x = a, *y = b;

    if (x->retained != y->retained)
        return x->retained > y->retained ? -1 : 1;
    return x->type < y->type ? -1 : x->type > y->type;
}

int loader_groups_find(const struct heap *h, const struct heap_sets *s, struct loader_groups *ret)
{
    struct id_map names = {0};
    int r = 0;

    assert(h && s && ret && ret->count == 0);
    for (uint32_t t = 0; t < h->type_count && r == 0; t++) {
        uint32_t loader = loader_type(h, s, t), count;

        if (loader == HEAP_NONE)
            continue;
        count = id_map_get(&names, key_of(h, t, loader));
        r = id_map_put(&names, key_of(h, t, loader), count == ID_MAP_NONE ? 1 : count + 1);
    }
    for (uint32_t t = 0; t < h->type_count && r == 0; t++)
        if (loader_type(h, s, t) != HEAP_NONE)
            r = add(h, ret, t, loader_type(h, s, t), &names);
    id_map_done(&names);
    for (size_t i = 0; i < s->loader_count && r == 0; i++)
        for (size_t g = 0; g < ret->count && s->loader[i].node != HEAP_NONE; g++)
            if (heap_type_of(h, s->loader[i].node) == ret->group[g].type)
                ret->group[g].retained += s->loader[i].size.retained;
    if (ret->count > 1)
        qsort(ret->group, ret->count, sizeof(ret->group[0]), most_first);
    return r;
}
