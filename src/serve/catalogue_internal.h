/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the catalogue share.
 */
#pragma once

#include <pthread.h>

#include "serve/catalogue.h"
#include "serve/catalogue_index.h"

enum { CHANGED_MAX = 10000 }; /* keys that wait: with more, the store is listed instead */

struct usage_cache {
    struct usage_row *row; /* their namespaces are owned */
    size_t count, capacity;
    int64_t version; /* of the index */
    bool valid;
};
void usage_cache_clear(struct usage_cache *u);

struct day_count {
    int64_t day; /* since 1970 */
    unsigned count;
};

struct days_cache {
    struct day_count *row;
    size_t count, capacity;
    char *question; /* that these answer; NULL: none */
    int64_t version;
};
void days_cache_clear(struct days_cache *d);

struct catalogue {
    struct sink_config store; /* borrowed parts of the caller's */
    uint64_t refresh_ms;
    void (*found)(void *ctx, const char *key, const struct manifest *m, int64_t stored_ns);
    void (*bare)(void *ctx, const char *key);
    int64_t found_since_ns;
    void *found_ctx;
    struct index *index;
    struct usage_cache usage; /* this and the next with the index's reading side */
    struct days_cache days;
    struct sink *sink;      /* of the thread, as the next two; NULL: not open */
    uint64_t whole_objects; /* that the last listing of the whole store had; 0: the next one is whole */
    uint64_t whole_at_ms;   /* when the whole store is to be listed again */

    pthread_t thread;
    bool running;

    pthread_mutex_t lock; /* for all below */
    pthread_cond_t wake;  /* of the thread */
    pthread_cond_t news;  /* version has grown */
    char **changed;
    size_t changed_count, changed_capacity;
    bool stop, list_now, damaged;
    bool complete; /* the store was read whole once */
    uint64_t version;
    int64_t listed_ns;
    struct err trouble; /* of the last listing; "" if it succeeded */

    pthread_mutex_t reader_lock; /* for the sink that single manifests are read by */
    struct sink *reader;
};

/* Begin and end of a question, with the reading side's lock: damage that a reader meets makes the index anew. */
struct index *catalogue_enter(struct catalogue *c);
int catalogue_leave(struct catalogue *c, int result);

/* After changes were committed. */
void catalogue_bump(struct catalogue *c);

/* The index was found to be damaged: the thread makes it anew. */
void catalogue_damaged(struct catalogue *c);

/* The sink of the thread. One that failed is opened anew the next time: its credentials may be others by then; returns
 * result. */
int catalogue_open_sink(struct catalogue *c, struct err *e);
int catalogue_done_with_sink(struct catalogue *c, int result);

/* Lists the store, and reads what is new. */
int catalogue_refresh(struct catalogue *c, struct err *e);

/* Reads one object's manifest again. */
int catalogue_look_again(struct catalogue *c, const char *key, struct err *e);
