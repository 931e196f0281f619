/* SPDX-License-Identifier: Apache-2.0
 *
 * Of each class: its loader by the record of the class, its package by its name.
 */
#include "inspect/set_members.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/array.h"
#include "base/text.h"

enum { PACKAGE_LEVELS = 16 };

/* The package of this name below parent. */
static int add_package(struct set_members *m, const char *name, size_t size, uint32_t *number)
{
    struct heap_sets *s = m->s;
    uint64_t key = XXH3_64bits(name, size);
    uint32_t known = id_map_get(&m->package_of_name, key), parent = *number;
    int r;

    if (known != ID_MAP_NONE) {
        *number = known;
        return 0;
    }
    if ((r = array_reserve(&s->package, s->package_count + 1, &s->package_capacity, sizeof(*s->package),
                           HEAP_PACKAGES_MAX)) < 0)
        return r == -E2BIG ? 0 : r;
    s->package[s->package_count] = (struct heap_package){.name = strndup(name, size), .parent = parent};
    if (!s->package[s->package_count].name)
        return -ENOMEM;
    *number = (uint32_t)s->package_count++;
    return id_map_put(&m->package_of_name, key, *number);
}

/* A class without a name, "java.util.HashMap", "Cart$$Lambda$14.0x0000000800c03000" (hidden, with an address). */
static size_t package_size(const char *name)
{
    const char *dot = strrchr(name, '.');

    if (dot && text_starts(dot, ".0x"))
        dot = memrchr(name, '.', (size_t)(dot - name));
    return dot ? (size_t)(dot - name) : 0;
}

/* With all packages above it, "com" before "com.shop". */
static int find_package(struct set_members *m, uint32_t type)
{
    const struct heap_type_info *t = &m->h->types[type];
    size_t size = package_size(t->name);
    uint32_t number = HEAP_NONE;
    unsigned level = 1;
    int r = 0;

    m->s->package_of[type] = HEAP_NONE;
    if (t->element && m->h->primitive[t->element] == type)
        return 0;
    for (size_t at = 1; at < size && level < PACKAGE_LEVELS && r == 0; at++)
        if (t->name[at] == '.') {
            r = add_package(m, t->name, at, &number);
            level++;
        }
    if (r == 0)
        r = add_package(m, t->name, size, &number);
    m->s->package_of[type] = number;
    return r;
}

static int find_loader(struct set_members *m, uint32_t type)
{
    const struct heap_type_info *t = &m->h->types[type];
    struct heap_sets *s = m->s;
    uint32_t node, number;
    int r;

    s->loader_of[type] = HEAP_NONE;
    if (!t->known)
        return 0;
    node = t->record.loader ? heap_index_find(m->h->index, t->record.loader) : HEAP_NONE;
    number = id_map_get(&m->loader_of_node, node);
    if (number == ID_MAP_NONE) {
        if ((r = array_reserve(&s->loader, s->loader_count + 1, &s->loader_capacity, sizeof(*s->loader),
                               HEAP_LOADERS_MAX)) < 0)
            return r == -E2BIG ? 0 : r;
        number = (uint32_t)s->loader_count++;
        s->loader[number] = (struct heap_loader){.node = node};
        if ((r = id_map_put(&m->loader_of_node, node, number)) < 0)
            return r;
    }
    s->loader[number].classes += !t->element;
    s->loader_of[type] = number;
    return 0;
}

int set_members_find(struct set_members *m)
{
    int r = 0;

    assert(m && m->h && m->s);

    for (uint32_t t = 0; t < m->h->type_count && r == 0; t++) {
        if (m->h->types[t].node != HEAP_NONE)
            r = id_map_put(&m->type_of_class, m->h->types[t].node, t);
        if (r == 0)
            r = find_loader(m, t);
        if (r == 0)
            r = find_package(m, t);
    }
    return r;
}

void set_members_done(struct set_members *m)
{
    id_map_done(&m->type_of_class);
    id_map_done(&m->loader_of_node);
    id_map_done(&m->package_of_name);
}
