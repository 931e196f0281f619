/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign text as JSON.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* A JSON string: bytes that are not UTF-8 become U+FFFD; cut to `most` bytes, between characters. NULL without
 * memory. */
json_t *jsonout_text(const char *text, size_t most);
