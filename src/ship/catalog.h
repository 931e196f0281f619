/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifests in a store: found by its listing, read several at once, one of them after the other handed to the
 * caller. For commands that read: ls, get. A manifest that can't be read is handed on as such, and does not end the
 * rest.
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

/* The manifest of one entry, or why there is none: result < 0 and err. text is the manifest's, to be taken. */
struct catalog_read {
    const struct catalog_entry *entry;
    struct manifest manifest;
    struct buf text;
    int result;
    struct err err;
};

/* wanted: positive reads the manifest of this entry, 0 leaves it out, negative ends the reading well: the entries
 * behind it are not wanted either. take: gets one manifest at a time; 0, or negative to break off. */
struct catalog_reader {
    int (*wanted)(void *ctx, const struct catalog_entry *entry);
    int (*take)(void *ctx, struct catalog_read *one);
    void *ctx;
};

/* Reads manifests on several threads, about in the order of the entries. A failure that is the store's as a whole
 * (unreachable, expired credentials …) ends it. */
int catalog_read(const struct catalog *c, struct sink *sink, const struct catalog_reader *reader, struct err *e);
