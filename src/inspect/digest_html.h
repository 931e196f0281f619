/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A digest (schema "salvage.digest/1", docs/digest.md) as HTML, from what a store gives back, where
 * anybody may have written it. What is missing or no number leaves its place empty. All text goes through base/html.h.
 */
#pragma once

#include <jansson.h>

#include "base/html.h"

/* Whether this is a digest of a schema that we read. */
bool digest_known(const json_t *d);

/* The sections, each with its heading; nothing where the digest has nothing. */
void digest_html_classes(struct html *h, const json_t *d);
void digest_html_threads(struct html *h, const json_t *d);
void digest_html_contents(struct html *h, const json_t *d); /* largest arrays, repeated contents */
