/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Conditions of a request: If-Match, If-None-Match and their like (RFC 9110, 13), against what is there.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What is there. */
struct validators {
    const char *etag; /* strong, with its quotes */
    int64_t modified_s;
    bool modified_strong; /* nothing can have changed since within the same second (8.8.2.2) */
};

/* The headers as they came; NULL: not there. */
struct conditions {
    const char *if_match, *if_none_match, *if_modified_since, *if_unmodified_since, *if_range;
};

/* In the order of 13.2.2, for GET and HEAD of something that exists: 0: go on; 304; 412. */
unsigned conditions_status(const struct conditions *c, const struct validators *v);

/* Whether a Range counts: If-Range is not there, or names exactly this version. */
bool conditions_range(const struct conditions *c, const struct validators *v);

/* Whether a list of entity tags ("*", or "a", W/"b") names this one. weak: W/ makes no difference (8.8.3.2). A
 * malformed list names those before the flaw. */
bool conditions_names(const char *list, const char *etag, bool weak);
