/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Key templates: `{place}/{time}-{cause}-{id}/{file}`. The variables are one table (docs/key-template.md
 * is generated from it). What may be in a value: ship/key_characters.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct template_variable {
    const char *name; /* "pod" */
    const char *help;
    bool slashes; /* its value may hold '/' */
};

/* The table; ends with name NULL. */
extern const struct template_variable TEMPLATE_VARIABLES[];
extern const char TEMPLATE_DEFAULT[]; /* "{place}/{time}-{cause}-{id}/{file}" */

enum { TEMPLATE_MAX = 512, TEMPLATE_SEGMENT_MAX = 200, TEMPLATE_ID_SIZE = 16 };

/* 0 or -FAULT_TEMPLATE: unknown variable (the message lists those there are), unbalanced brace, empty, '..' or '.'
 * or an empty segment, leading or trailing '/', control characters or bytes that are not UTF-8, no {id} (the second
 * dump would overwrite the first), last segment without {file}, {name} or {id}, longer than 512 bytes, a segment that
 * leaves its values less than 8 bytes each of the 200 it may have. */
int template_check(const char *template, struct err *e);

/* Fills a checked template: value_of(ctx, name) gives each variable's text ("" and NULL become "none"; {id} must be
 * 16 lower-case hex digits). A segment comes to at most 200 bytes, so that ".json" and a temporary name still fit in
 * 255: its longest values are cut, at a UTF-8 boundary, keeping up to 32 bytes from their last '.' on; never the
 * template's own text nor {id}, so that two dumps never meet in one key. malloc'ed, NULL without memory. */
char *template_fill(const char *template, const char *(*value_of)(void *ctx, const char *name), void *ctx);

/* Whether key could have come from the checked template, whatever the values. */
bool template_match(const char *template, const char *key);
