/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A JSON object of a bounded size and depth: the library's parser calls itself for each level, and the
 * stacks of connections are small.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_READ_DEPTH = 32 };

/* The caller owns it (json_decref); NULL: larger than size_max, too deep, no JSON, no object, a name twice in one. */
json_t *json_read_object(const char *text, size_t size, size_t size_max);

/* Whether it has at most JSON_READ_DEPTH levels: for those who parse it themselves. */
bool json_read_is_shallow(const char *text, size_t size);

/* The text of a field, "" without or if it is none. Borrowed. */
const char *json_read_text(const json_t *object, const char *name);

/* The number of a field; 0 without, if it is none, or if it is negative. */
uint64_t json_read_count(const json_t *object, const char *name);
