/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifests in a store: found by its listing, read several at once, one of them after the other handed to the
 * caller. For commands that read: ls, get. One that can't be read is handed on as such, and does not end the rest.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ship/manifest.h"
#include "store/sink.h"

struct catalog_entry {
    char *key;       /* of the object; its manifest's is the same with MANIFEST_SUFFIX */
    int64_t time_ns; /* when the manifest was written, or the case's time in the key, whichever is later; 0 unknown */
    bool whole;      /* the object lies beside its manifest */
};

struct catalog {
    struct catalog_entry *entry; /* the newest first */
    size_t count, capacity;
    uint64_t *object; /* hashes of the keys that are no manifest's, sorted */
    size_t object_count, object_capacity;
    size_t bytes; /* of keys */
};

/* What lies below each place (the beginning of NAMESPACE/POD …; none: all), and all of the store where no key begins
 * like that: the key template may be another. -EMSGSIZE where names alone would take more than CATALOG_BYTES. */
enum { CATALOG_BYTES = 128 * 1024 * 1024 };
int catalog_list(struct catalog *c, struct sink *sink, const struct sink_config *config, char *const *places,
                 struct err *e);
void catalog_done(struct catalog *c);

/* The manifest of one entry, or why there is none: result < 0 and its story. text is the manifest's, to be taken. */
struct catalog_read {
    const struct catalog_entry *entry;
    struct manifest manifest;
    struct buf text;
    int result;
    struct err err;
};

/* Reads the manifests of entries for which wanted() holds, about in their order, on several threads; take() gets one at
 * a time. wanted false: this one is left out; negative ends it all well: what comes behind is not wanted either.
 * Trouble that is the store's as a whole (unreachable, expired credentials …) ends it with its story. take: 0 or
 * negative to break off. */
int catalog_read(const struct catalog *c, struct sink *sink,
                 int (*wanted)(void *ctx, const struct catalog_entry *entry),
                 int (*take)(void *ctx, struct catalog_read *one), void *ctx, struct err *e);
