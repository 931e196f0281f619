/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifests in a store, for commands that read (ls, get). Lists them, reads several at once, and hands one at a
 * time to the caller. A manifest that can't be read is handed over as such; the others are still read.
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
    uint64_t *object; /* hashes of all keys but those of manifests, sorted */
    size_t object_count, object_capacity;
    size_t bytes; /* of keys */
};

/* Lists the keys that begin with each place (NAMESPACE/POD …; none given: all). If no key does, lists the whole store:
 * the key template may be another one. -EMSGSIZE if the names would take more than CATALOG_BYTES. */
enum { CATALOG_BYTES = 128 * 1024 * 1024 };
int catalog_list(struct catalog *c, struct sink *sink, const struct sink_config *config, char *const *places,
                 struct err *e);
void catalog_done(struct catalog *c);

/* The manifest of one entry, or why it could not be read: result < 0 and err. text: its JSON, which the reader may
 * take. */
struct catalog_read {
    const struct catalog_entry *entry;
    struct manifest manifest;
    struct buf text;
    int result;
    struct err err;
};

/* wanted: positive: read the manifest of this entry; 0: leave it out; negative: end here, successfully. take: gets one
 * manifest at a time; 0, or negative to end with that error. Never two calls at once. */
struct catalog_reader {
    int (*wanted)(void *ctx, const struct catalog_entry *entry);
    int (*take)(void *ctx, struct catalog_read *one);
    void *ctx;
};

/* Reads manifests on several threads, roughly in the order of the entries. A fault of the store as a whole
 * (unreachable, expired credentials …) ends it. */
int catalog_read(const struct catalog *c, struct sink *sink, const struct catalog_reader *reader, struct err *e);
