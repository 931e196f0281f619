/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash map from ids to numbers, for the thousands of classes and texts of a dump; not for its millions of objects
 * (hprof/heap_index.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ID_MAP_NONE UINT32_MAX

struct id_map {
    uint64_t *key;
    uint32_t *value; /* ID_MAP_NONE: an unused slot */
    size_t slots, count;
};

/* A key that is there already gets the new value; value: not ID_MAP_NONE. 0 or -ENOMEM. */
int id_map_put(struct id_map *m, uint64_t key, uint32_t value);
uint32_t id_map_get(const struct id_map *m, uint64_t key); /* ID_MAP_NONE */
void id_map_done(struct id_map *m);
