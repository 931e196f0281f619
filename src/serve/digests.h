/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests (docs/digest.md) of evidence that arrives without one, as of `curl -T`, of older shippers, of --no-digest:
 * one at a time, nice, in a sandboxed process. digest.json comes beside the object, the sentence and the classes into
 * its manifest, where all readers look for them. What failed is remembered and not tried again. Thread-safe.
 */
#pragma once

#include "base/err.h"
#include "base/openmetrics.h"
#include "ship/manifest.h"

struct digests;
struct serve;

/* Evidence is taken at once, and worked on from digests_begin on. */
int digests_new(struct serve *s, struct digests **ret, struct err *e);
int digests_begin(struct digests *d, struct err *e);
void digests_stop(struct digests *d); /* kills what runs, drops what waits; NULL is fine */
void digests_free(struct digests *d); /* after digests_stop */

/* The manifest of the object of this key was found in the store; NULL: it seems to be a heap dump that has none. */
void digests_arrived(struct digests *d, const char *key, const struct manifest *m);

/* The object of this key was removed: what comes under its name is new. */
void digests_removed(struct digests *d, const char *key);

void digests_metrics(struct digests *d, struct openmetrics *m);
