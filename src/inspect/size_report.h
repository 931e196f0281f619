/* SPDX-License-Identifier: Apache-2.0
 *
 * How the sizes of objects were found: an instance's by the distance to the next object where its class has enough of
 * them side by side, else by the usual formula; an array's by its length and the header that was found.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "hprof/heap.h"

/* "SIZES by the usual formula: 12.3 MiB (3 %) in 240 classes: ..." */
void size_report_print(const struct heap *h, FILE *out);
json_t *size_report_json(const struct heap *h); /* NULL without memory */
