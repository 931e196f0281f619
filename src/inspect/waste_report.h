/* SPDX-License-Identifier: Apache-2.0
 *
 * Waste as text and as JSON.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "inspect/collections.h"
#include "inspect/waste.h"

struct waste_view {
    const struct waste *waste;
    const struct collections *collections;
    uint64_t heap_bytes; /* what the percentages are of */
};

/* A line of the largest, nothing if none has a hundredth of the heap. */
void waste_report_print(const struct waste_view *v, FILE *out);
json_t *waste_report_json(const struct waste_view *v); /* NULL without memory */
