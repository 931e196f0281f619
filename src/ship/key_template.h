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
    bool slashes; /* its value may contain '/' */
};

/* The table; ends with name NULL. */
extern const struct template_variable TEMPLATE_VARIABLES[];
extern const char TEMPLATE_DEFAULT[]; /* "{place}/{time}-{cause}-{id}/{file}" */

enum { TEMPLATE_MAX = 512, TEMPLATE_SEGMENT_MAX = 200, TEMPLATE_ID_SIZE = 16 };

/* 0, or -FAULT_TEMPLATE: an unknown variable (the message lists the known ones), an unbalanced brace, an empty
 * template, a segment that is empty, '.' or '..', a leading or trailing '/', control characters, bytes that are not
 * UTF-8, no {id} (a second dump would overwrite the first), a last segment without {file}, {name} or {id}, more than
 * 512 bytes, or a segment whose own text leaves less than 8 of its 200 bytes for each value. */
int template_check(const char *template, struct err *e);

/* Fills a checked template. value_of(ctx, name) returns each variable's text ("" and NULL become "none"; {id} must be
 * 16 lower-case hex digits). A segment has at most 200 bytes, so that ".json" and a temporary name still fit in 255:
 * its longest values are cut, at a UTF-8 boundary; a suffix of up to 32 bytes from their last '.' on stays. The
 * template's own text and {id} are never cut, so two dumps never get one key. malloc'ed; NULL without memory. */
char *template_fill(const char *template, const char *(*value_of)(void *ctx, const char *name), void *ctx);

/* Whether the checked template could have made this key, with any values. */
bool template_match(const char *template, const char *key);
