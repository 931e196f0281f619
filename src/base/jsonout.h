/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign text as JSON.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* Text as JSON must have it: what is not UTF-8 as U+FFFD, and cut at most bytes, between characters. NULL without
 * memory. */
json_t *jsonout_text(const char *text, size_t most);
