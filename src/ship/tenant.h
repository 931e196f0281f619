/* SPDX-License-Identifier: Apache-2.0
 *
 * The tenant of a file, for turns and room: the namespace if --layout names one, else the file's owner (uid). The first
 * folder below the watched one is a part of the tenant: pods of one uid often have a folder each.
 */
#pragma once

#include <stdint.h>

#include "place/layout.h"
#include "ship/fair.h"

/* Of a namespace. */
uint64_t tenant_of_namespace(const char *name);

/* layout may be NULL. path: of the file; not necessarily below root. */
struct fair_key tenant_of(const struct layout *layout, const char *root, const char *path, uint64_t owner);

/* Of a file in a pod whose namespace is known. part: what has a turn of its own among those of the namespace. */
struct fair_key tenant_of_pod(const char *namespace, const char *part);
