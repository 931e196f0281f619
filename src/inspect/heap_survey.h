/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over the dump for all that is asked of objects' content.
 */
#pragma once

#include "hprof/retained.h"

enum { SURVEY_PARTS_MAX = 8 };

/* Is called for reachable objects alone, each once, in the dump's order. */
struct survey_part {
    void *ctx;
    bool (*wants)(void *ctx, uint32_t type); /* the instances of this class */
    void (*instance)(void *ctx, uint32_t node, uint32_t type, const struct heap_instance *o);
    void (*array)(void *ctx, uint32_t node, uint32_t type,
                  const struct heap_array *a); /* of primitive elements; may be NULL */
};

/* 0, -ENOMEM, or -errno of big_memory. */
int heap_survey(const struct heap *h, const struct retained *r, const struct survey_part *part, unsigned count);
