/* SPDX-License-Identifier: Apache-2.0
 *
 * To which sets the instances of a class belong: packages, class loaders (inspect/heap_sets.h).
 */
#pragma once

#include "inspect/heap_sets.h"

struct set_members {
    const struct heap *h;
    struct heap_sets *s;          /* gets loaders, packages, and those of each type; has room for them by type */
    struct id_map type_of_class;  /* node of a class object -> its type */
    struct id_map loader_of_node; /* its number in s */
    struct id_map package_of_name;
};

/* h and s are set. -ENOMEM. */
int set_members_find(struct set_members *m);
void set_members_done(struct set_members *m);
