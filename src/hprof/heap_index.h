/* SPDX-License-Identifier: Apache-2.0
 *
 * Ids of objects to numbers from 0 on, in the order of their addresses. An id is a heap address: one bit for each place
 * where an object may begin, in pages of 32,768 places, with a rank for each 512; no sorting, no hash, 0.2 to 1 byte
 * per object. Two phases: ids are added, then (after heap_index_seal) looked up.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_NONE UINT32_MAX /* no object */

struct heap_index;

/* shift: ids are multiples of 1 << shift; 3 for HotSpot's. pages_max: a page has 32768 places and takes 4.2 KB, so that
 * ids which lie far apart have to have a ceiling. -ENOMEM. */
int heap_index_new(unsigned shift, size_t pages_max, struct heap_index **ret);
void heap_index_free(struct heap_index *x);

/* 0; 1: it was there already; -EINVAL: it is no multiple; -EOVERFLOW: more than pages_max pages; -ENOMEM. */
int heap_index_add(struct heap_index *x, uint64_t id);

/* Adds all ids of another index, which is empty then. The number of ids that both had; -EOVERFLOW, -ENOMEM. */
int heap_index_merge(struct heap_index *x, struct heap_index *other);

/* After the last id. -ENOMEM; -E2BIG: 2^32 - 1 objects or more. */
int heap_index_seal(struct heap_index *x);

uint32_t heap_index_count(const struct heap_index *x);

/* The number of an id; HEAP_NONE. */
uint32_t heap_index_find(const struct heap_index *x, uint64_t id);

/* What heap_index_find will need of the id comes into the cache. */
void heap_index_prefetch(const struct heap_index *x, uint64_t id);

/* Each id in the order of its number. */
void heap_index_each(const struct heap_index *x, void (*fn)(void *ctx, uint32_t number, uint64_t id), void *ctx);

/* The id of a number. */
uint64_t heap_index_id(const struct heap_index *x, uint32_t number);
