/* SPDX-License-Identifier: Apache-2.0
 *
 * One case out of a store. Its manifests go first, then its objects: whatever dies in between, no
 * manifest is left that promises what is gone; what is left are objects that count as not whole, and the next attempt
 * finds them in the case's folder.
 */
#pragma once

#include "base/strv.h"
#include "store/sink.h"

/* What a case consists of in its store. */
struct case_objects {
    struct strv keys; /* manifests first; its pin is not among them. None: it is not there */
    uint64_t bytes;   /* of all together */
};

/* Whether the last part of `id` is the name of a case's folder; else `id` is an object's key. */
bool case_is_folder(const char *id);

/* folder: as case_is_folder, where the caller does not know better. ret: zeroed. */
int case_objects_list(struct sink *sink, const char *id, bool folder, struct case_objects *ret, struct err *e);
void case_objects_done(struct case_objects *o);

/* Removes these keys in their order. removed: each key that is gone, may be NULL. What is not there counts as
 * removed. */
int case_remove(struct sink *sink, const struct strv *keys, void (*removed)(void *ctx, const char *key), void *ctx,
                struct err *e);

/* Puts or removes the object ID.pin. */
int case_pin(struct sink *sink, const char *id, bool pinned, struct err *e);
