/* SPDX-License-Identifier: Apache-2.0
 *
 * What sets of objects keep alive together: the instances of a class, all that a class loader defined, a package, a
 * thread with its locals. Exactly: what is below two of the set's objects in the dominator tree counts once.
 */
#pragma once

#include <stdbool.h>

#include "hprof/retained.h"

enum { HEAP_PACKAGES_MAX = 1 << 20, HEAP_LOADERS_MAX = 1 << 20 };

/* Reachable objects alone. */
struct set_size {
    uint64_t count, bytes, retained;
};

struct heap_loader {
    uint32_t node;        /* of the class loader's object; HEAP_NONE: the JVM's own */
    uint32_t classes;     /* that it defined, without those of arrays */
    struct set_size size; /* its object, its classes, and their instances */
};

struct heap_package {
    char *name;           /* "com.shop"; owned */
    uint32_t parent;      /* a smaller number: "com"; HEAP_NONE */
    bool has_objects;     /* of classes that are in this very package */
    struct set_size size; /* instances of its classes and of the packages below it; arrays are their elements' */
};

/* A node that belongs to a set of the caller's: 0, 1, … */
struct set_mark {
    uint32_t node, set;
};

struct heap_sets {
    struct set_size *type;            /* by type: its instances; owned */
    struct set_size *garbage;         /* by type: its instances that are not reachable (retained is 0); owned */
    uint32_t *loader_of, *package_of; /* by type; HEAP_NONE: arrays of primitive elements; owned */
    struct heap_loader *loader;
    size_t loader_count, loader_capacity;
    struct heap_package *package; /* in the order of types; a parent before what is below it */
    size_t package_count, package_capacity;
    struct set_size *marked; /* by set of the caller's; owned */
};

struct set_marks {
    const struct set_mark *mark; /* in the order of nodes, then of sets; a node may be in several sets */
    size_t count;
    uint32_t sets;
};

/* 0, -ENOMEM, or -errno of big_memory. */
int heap_sets_find(const struct heap *h, const struct retained *r, const struct set_marks *marks,
                   struct heap_sets *ret);
void heap_sets_done(struct heap_sets *s);

/* The numbers of `count` sets, those that keep most alive first; of sets inside structs of `stride` bytes. malloc'ed.
 */
uint32_t *set_order(const struct set_size *first, size_t stride, size_t count);

/* The name of a loader: its class, "com.shop.PluginLoader"; "(the JVM's own)". */
const char *heap_loader_name(const struct heap *h, const struct heap_loader *l);
