/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of a report's text and JSON have in common.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "hprof/heap.h"

/* Foreign text for a terminal; NULL is "?". */
void report_put(FILE *out, const char *text);

/* Rounded. */
unsigned report_percent(uint64_t part, uint64_t of);

/* For json_pack's "o": NULL is null. */
json_t *report_text(const char *text);
json_t *report_number(uint64_t n);
/* An object's id, as the dump has it: "0xe0010228"; null for HEAP_NONE. */
json_t *report_id(const struct heap *h, uint32_t node);
