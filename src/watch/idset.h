/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of file ids (place/identity.h): files that are not claimed again in this run. 8 to 16 bytes an id.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idset {
    uint64_t *slot; /* owned; 0: free */
    size_t count, capacity;
};

int idset_add(struct idset *s, const char *id); /* 0, -ENOMEM, -EINVAL */
void idset_remove(struct idset *s, const char *id);
bool idset_has(const struct idset *s, const char *id);
void idset_done(struct idset *s);
