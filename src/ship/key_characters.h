/* SPDX-License-Identifier: Apache-2.0
 *
 * Which characters a key may have. Pure; fuzzed with ship/key_template.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether a value keeps this byte: letters, digits and ._-+@=, */
bool key_keeps(char c);

/* Whether a template's own text may be in a key as it is: printable ASCII, or UTF-8 that XML can hold. */
bool key_is_clean(const char *text);

/* "." or "..": no segment of a key. */
bool key_only_dots(const char *text, size_t size);

/* A value fit for a key: never empty ("none"), no '/' at its ends, no two in a row, no part "." or "..". slashes: '/'
 * is kept. NULL is as "". malloc'ed; NULL without memory. */
char *key_value(const char *value, bool slashes);
