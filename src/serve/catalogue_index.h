/* SPDX-License-Identifier: Apache-2.0
 *
 * The catalogue's tables, and all that writes to them. What a row means stands in catalogue_schema.c. Damaged, of an
 * older schema or of another store: the file is thrown away, and made anew.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "serve/sql.h"
#include "ship/manifest.h"

/* A number of an object: that of its case, and one of its own. */
enum { OBJECT_BITS = 20 };

/* Of objects in one case: more are not indexed. The last number has the words of the case's suspect. */
enum { CASE_OBJECTS_MAX = (1 << OBJECT_BITS) - 1 };

enum index_statement {
    FIND_OBJECT,
    FIND_CASE,
    LAST_OBJECT,
    ADD_OBJECT,
    DROP_OBJECT,
    ADD_WORDS,
    DROP_WORDS,
    OBJECTS_OF_CASE,
    ADD_CASE,
    SET_CASE,
    DROP_CASE,
    FIND_SUSPECT,
    SET_SUSPECT,
    DROP_SUSPECT,
    SUSPECT_OF_CASE,
    ADD_SUSPECT_WORDS,
    PIN,
    FIND_PIN,
    UNPIN,
    PIN_CASE,
    LOOP_OF_CASE,
    LOOPS_NEAR,
    LOOP_ADD,
    LOOP_SET,
    LOOP_DROP,
    LOOP_MERGE,
    LOOP_FIRST,
    LOOP_LAST,
    JOIN_LOOP,
    SET_SPACE,
    CLEAR_OTHERS,
    META_GET,
    META_SET,
    INDEX_STATEMENTS
};

/* One connection, with the lock of whoever uses it. */
struct index_side {
    pthread_mutex_t lock;
    sqlite3 *db;
};

struct index {
    char *file, *store;
    struct index_side write, read;             /* in memory both are one connection */
    bool in_memory;                            /* or in a file without a name */
    sqlite3_stmt *statement[INDEX_STATEMENTS]; /* of the writing side */
    unsigned changes;                          /* since index_begin */
    unsigned remade;                           /* how often */
    char *hits; /* the words that temp.hits of the reading side was filled by; NULL: it is empty */
    int64_t hits_version, hits_changes, hits_count;
};

/* file NULL: a temporary one without a name, or in memory where there is no folder for that. store: its URL; an index
 * of another one is made anew. ret_why: why a file that was there was thrown away (a text of ours), or NULL.
 * -FAULT_STATE: the file can't be made. */
int index_open(const char *file, const char *store, struct index **ret, const char **ret_why, struct err *e);
void index_close(struct index *x);

/* Throws the file away and makes it anew. Without locks held. */
int index_remake(struct index *x, struct err *e);

/* The reading side: to be unlocked with the same. */
sqlite3 *index_read_begin(struct index *x);
void index_read_end(struct index *x);

/* Another number after each change, by this process or another. With the reading side's lock. */
int64_t index_version(struct index *x);

/* 1 with what the manifest's file was like when it was read, 0 if the object is not known. Takes the
 * lock itself. */
int index_known(struct index *x, const char *key, uint64_t *ret_file_size, int64_t *ret_file_time_ns, struct err *e);

/* All below: with the writing side's lock held, between index_begin and index_commit. */
int index_begin(struct index *x, struct err *e);  /* takes the lock */
int index_commit(struct index *x, struct err *e); /* gives it back, also when it fails */
int index_rollback(struct index *x, int result);  /* the same; returns result */

/* An object with its manifest. */
struct index_object {
    const char *key;
    const struct manifest *manifest;
    const char *broken;   /* why its manifest can't be read: then manifest is NULL */
    uint64_t stored_size; /* as the store lists it */
    uint64_t file_size;   /* of the manifest */
    int64_t file_time_ns; /* when the store got the manifest */
};
int index_put(struct index *x, const struct index_object *o, struct err *e);
int index_drop(struct index *x, const char *key, struct err *e); /* one that isn't there counts as done */
int index_pin(struct index *x, const char *id, bool pinned, struct err *e);

/* What the last listing found in a namespace, in all: what is not evidence of ours is kept. */
int index_clear_others(struct index *x, struct err *e);
int index_set_space(struct index *x, const char *namespace, uint64_t objects, uint64_t bytes, struct err *e);

int index_meta_set(struct index *x, const char *name, int64_t value, struct err *e);
int index_meta(struct index *x, const char *name, int64_t *ret, struct err *e); /* 0 if it was never set */
