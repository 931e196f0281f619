/* SPDX-License-Identifier: Apache-2.0
 *
 * What is in single objects of a heap: their fields, their texts. A graph has no content, so that the dump is read once
 * more for each batch of objects.
 */
#pragma once

#include "hprof/heap.h"

/* Finds the records of these nodes, in one pass; each is called once at most, in the dump's order. A negative return of
 * an event ends it. */
struct heap_object_events {
    void *ctx;
    int (*instance)(void *ctx, uint32_t node, const struct heap_instance *o);
    int (*array)(void *ctx, uint32_t node, const struct heap_array *a);
};
int heap_objects_read(struct heap *h, const uint32_t *nodes, size_t count, const struct heap_object_events *events);

/* The id that a field of this name refers to, in the class or its superclasses; 0: null, or no such field. */
uint64_t heap_object_field(const struct heap *h, uint32_t type, const struct heap_instance *o, const char *name);

/* Where a field of this name lies in an instance's data, in the class or its superclasses. type: of the field. */
struct heap_place {
    uint32_t at;
    unsigned char type; /* enum heap_type; 0: no such field */
};
struct heap_place heap_field_place(const struct heap *h, uint32_t type, const char *name);

/* The value there, as it is in the dump: big-endian, sign-extended if it is a signed integer; 0 where the data is too
 * short. */
int64_t heap_place_value(const struct heap *h, const struct heap_instance *o, const struct heap_place *p);

/* The value of a static field, a reference; 0: null, or no such field. */
uint64_t heap_static_reference(const struct heap *h, uint32_t type, const char *name);

/* The first type of this name; HEAP_NONE. */
uint32_t heap_type_named(const struct heap *h, const char *name);

/* The name of the field through which o refers to target, "table"; NULL: none does. malloc'ed. */
char *heap_object_field_to(const struct heap *h, uint32_t type, const struct heap_instance *o, uint64_t target);

/* The static field of a class that refers to target; NULL. malloc'ed. */
char *heap_static_to(const struct heap *h, uint32_t type, uint64_t target);

/* The type whose class object this node is; HEAP_NONE. */
uint32_t heap_type_of_class(const struct heap *h, uint32_t node);

/* The characters of a String's array in UTF-8, at most `most`; malloc'ed. coder: 1 for UTF-16 in a byte[]. NULL: it is
 * no array of characters, or without memory. */
char *heap_characters(const struct heap_array *a, unsigned coder, size_t most);
