/* SPDX-License-Identifier: Apache-2.0
 *
 * Open addressing, at most half full.
 */
#include "hprof/id_map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t find(const struct id_map *m, uint64_t key)
{
    size_t slot = (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (m->slots - 1);

    while (m->value[slot] != ID_MAP_NONE && m->key[slot] != key)
        slot = (slot + 1) & (m->slots - 1);
    return slot;
}

static int grow(struct id_map *m)
{
    struct id_map bigger = {.slots = m->slots ? m->slots * 2 : 256};

    bigger.key = calloc(bigger.slots, sizeof(*bigger.key));
    bigger.value = malloc(bigger.slots * sizeof(*bigger.value));
    if (!bigger.key || !bigger.value) {
        id_map_done(&bigger);
        return -ENOMEM;
    }
    memset(bigger.value, 0xFF, bigger.slots * sizeof(*bigger.value));
    for (size_t i = 0; i < m->slots; i++)
        if (m->value[i] != ID_MAP_NONE) {
            size_t slot = find(&bigger, m->key[i]);

            bigger.key[slot] = m->key[i];
            bigger.value[slot] = m->value[i];
        }
    bigger.count = m->count;
    id_map_done(m);
    *m = bigger;
    return 0;
}

int id_map_put(struct id_map *m, uint64_t key, uint32_t value)
{
    size_t slot;
    int r;

    assert(value != ID_MAP_NONE);
    if (m->count * 2 >= m->slots && (r = grow(m)) < 0)
        return r;
    slot = find(m, key);
    m->count += m->value[slot] == ID_MAP_NONE;
    m->key[slot] = key;
    m->value[slot] = value;
    return 0;
}

uint32_t id_map_get(const struct id_map *m, uint64_t key)
{
    return m->slots ? m->value[find(m, key)] : ID_MAP_NONE;
}

void id_map_done(struct id_map *m)
{
    free(m->key);
    free(m->value);
    *m = (struct id_map){0};
}
