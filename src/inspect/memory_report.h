/* SPDX-License-Identifier: Apache-2.0
 *
 * Finalizers, direct buffers and class loaders that were loaded many times, as text and as JSON.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "inspect/loader_groups.h"
#include "inspect/references.h"

void references_print(const struct references *f, uint64_t heap_bytes, FILE *out);
json_t *finalizers_json(const struct references *f);
json_t *buffers_json(const struct references *f);

void loader_groups_print(const struct heap *h, const struct loader_groups *g, FILE *out);
json_t *loader_groups_json(const struct heap *h, const struct loader_groups *g);
