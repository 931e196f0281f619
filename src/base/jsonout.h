/* SPDX-License-Identifier: Apache-2.0
 *
 * Two words for writing JSON from a table of fields.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* Text as JSON must have it: what is not UTF-8 as U+FFFD, and cut at most bytes, between characters. NULL without
 * memory. */
json_t *jsonout_text(const char *text, size_t most);

/* "where.pod": puts value under "pod" into the object "where", made when first needed. Takes value. 0 or -ENOMEM. */
int jsonout_put(json_t *root, const char *path, json_t *value);
