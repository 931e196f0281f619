/* SPDX-License-Identifier: Apache-2.0
 *
 * Class loaders of one class that have defined classes of the same names: an application that was deployed again, and
 * something keeps the old one.
 */
#pragma once

#include "inspect/heap_sets.h"

enum { LOADER_GROUPS_MAX = 100 };

struct loader_group {
    uint32_t type;     /* of the loaders */
    uint32_t loaders;  /* that have the class below */
    uint32_t class;    /* the type that most of them have, one of them; by name the first */
    uint32_t classes;  /* names that two of them have, or more */
    uint64_t retained; /* by all loaders of this class: their sum */
};

struct loader_groups {
    struct loader_group group[LOADER_GROUPS_MAX]; /* those that keep most first */
    size_t count;
};

int loader_groups_find(const struct heap *h, const struct heap_sets *s, struct loader_groups *ret); /* -ENOMEM */
