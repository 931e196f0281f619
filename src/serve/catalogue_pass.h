/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over the store: what was listed of it, and what has to be read. The whole store (catalogue_refresh.c), or
 * those folders in which something new is likely (catalogue_news.c).
 */
#pragma once

#include "base/strv.h"
#include "serve/catalogue_internal.h"
#include "ship/manifest.h"

enum { PASS_BATCH = 200 };

struct listed {
    uint64_t hash, size;
};

struct new_manifest {
    char *key; /* of its object */
    uint64_t size;
    int64_t time_ns;
};

struct space {
    char *namespace;
    uint64_t objects, bytes;
};

struct waiting {
    struct manifest manifest;
    char *key, *broken;
    uint64_t stored_size, file_size;
    int64_t file_time_ns;
};

struct refresh {
    struct catalogue *catalogue;
    struct listed *listed; /* sorted once the listing is whole */
    size_t listed_count, listed_capacity;
    struct new_manifest *found;
    size_t found_count, found_capacity, found_bytes;
    struct new_manifest *analyses; /* that have to be read; their keys are those of their cases */
    size_t analysis_count, analysis_capacity;
    struct new_manifest *bare; /* heap dumps, perhaps without a manifest; their own keys */
    size_t bare_count, bare_capacity;
    struct space *space;
    size_t space_count, space_capacity, space_last;
    struct strv pins;
    struct waiting batch[PASS_BATCH];
    size_t batch_count;
    struct err *e;
};

/* Takes an object of a listing; ctx: struct refresh. For sink_ops.list. */
int pass_on_entry(void *ctx, const struct sink_listing_entry *entry);

/* After the listing: sorts it, and leaves out names that only look like a manifest's. */
void pass_end_listing(struct refresh *r);

/* Whether this pass has listed the key. After pass_end_listing. */
bool pass_has_listed(const struct refresh *r, const char *key);

/* Takes these objects and pins out of the index, and puts the pins that were listed into it. */
int pass_drop(struct refresh *r, const struct strv *objects, const struct strv *pins, struct err *e);

/* Whether the server ends. */
bool pass_is_stopping(const struct refresh *r);

/* Reads what is new. */
int pass_read_new(struct refresh *r, struct err *e);

/* Lists only folders in which something new is likely. 1: done; 0: listing the whole store costs no more requests;
 * a fault. */
int catalogue_list_news(struct refresh *r, struct err *e);
