/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Large arrays that static fields refer to, in one pass over a dump: classes come first, with the ids of
 * their statics; an array that is met afterwards says how large it is. What a static holds through another object needs
 * the graph.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hprof/heap_reader.h"
#include "hprof/id_map.h"

enum {
    STATIC_ARRAYS_MAX = 1 << 15,
    STATIC_ARRAY_LEAST = 257 /* bytes of elements in the dump */,
    STATIC_BITS = 1 << 18
};

struct static_field {
    uint64_t name_id;
    uint64_t bytes; /* of the elements in the dump; 0: no such array was met */
    uint32_t class; /* a number of the caller's */
    uint32_t array_class, length;
};

/* One class's. */
struct static_row {
    uint32_t class, largest; /* numbers of a class, of a field */
    uint64_t bytes, count;
};

struct static_arrays {
    struct static_field *field; /* owned */
    size_t count, capacity;
    struct id_map by_id;                   /* of the first field that refers to an id */
    unsigned char filter[STATIC_BITS / 8]; /* ids that are there, and some others */
    bool left_out;                         /* there are more of them */
};

/* The statics of a class, from its record; format: of the dump. 0 or -ENOMEM. */
int static_arrays_add(struct static_arrays *s, const struct heap_reader *format, const struct heap_class *c,
                      uint32_t class);

static inline bool static_arrays_may_have(const struct static_arrays *s, uint64_t id)
{
    uint32_t bit = (uint32_t)(id >> 3) & (STATIC_BITS - 1);

    return s->filter[bit / 8] >> bit % 8 & 1;
}

/* An array of STATIC_ARRAY_LEAST bytes or more. class: of the array. */
void static_arrays_meet(struct static_arrays *s, uint64_t id, const struct static_field *array);

/* Classes by the bytes that their statics refer to, the most first; malloc'ed. 0 or -ENOMEM. */
int static_arrays_rows(const struct static_arrays *s, struct static_row **ret, size_t *ret_count);

void static_arrays_done(struct static_arrays *s);
