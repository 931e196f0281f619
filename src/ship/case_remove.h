/* SPDX-License-Identifier: Apache-2.0
 *
 * One case out of a store. Its manifests go first, then its objects: whatever dies in between, no
 * manifest is left that promises what is gone; what is left are objects that count as not whole, and the next attempt
 * finds them in the case's folder.
 */
#pragma once

#include "base/strv.h"
#include "store/sink.h"

/* The keys of a case's objects, manifests first; its pin is not among them. folder: it is one, else `id` is an object's
 * key. bytes: of all together. None: it is not there. */
int case_keys(struct sink *sink, const char *id, bool folder, struct strv *ret, uint64_t *ret_bytes, struct err *e);

/* Removes these keys in their order. removed: each key that is gone, may be NULL. What is not there counts as
 * removed. */
int case_remove(struct sink *sink, const struct strv *keys, void (*removed)(void *ctx, const char *key), void *ctx,
                struct err *e);

/* Puts or removes the object ID.pin. */
int case_pin(struct sink *sink, const char *id, bool pinned, struct err *e);
