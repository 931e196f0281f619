/* SPDX-License-Identifier: Apache-2.0
 *
 * The cases of a store, in SQLite: an index of its manifests, which are the truth, and from which it can be made anew
 * at any time. A case is one incident: the folder of its objects. Safe to call from many threads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "ship/case_suspect.h"
#include "ship/manifest.h"
#include "store/sink.h"

struct catalogue;

struct catalogue_config {
    const struct sink_config *store;
    const char *store_url; /* its name: an index of another store is thrown away */
    const char *file;      /* the index; NULL: in memory */
    uint64_t refresh_ms;   /* how often the store is listed for what others put there; 0: 10 minutes */
    /* All that follows may be NULL or 0. On a thread of the catalogue, which waits meanwhile: they may call
     * catalogue_changed and nothing else of it. */
    /* A manifest was read that is new, or other than it was. stored_ns: when it was stored; 0: just now. At the start
     * also each that is known and was stored since found_since_ns: what was to follow may have been cut off. */
    void (*found)(void *ctx, const char *key, const struct manifest *m, int64_t stored_ns);
    /* A heap dump, by its name, that has neither manifest nor digest, and is as it is since at least ten minutes, but
     * not since before found_since_ns; said again with each listing. */
    void (*bare)(void *ctx, const char *key);
    int64_t found_since_ns;
    void *ctx;
};

/* Texts are borrowed for the call; NULL where unknown. */
struct case_row {
    const char *id; /* the folder of its objects: "shop/cart-7f9c/20261121T015605Z-java-oom-0123456789abcdef" */
    const char *namespace, *workload, *pod, *container, *cause, *kind, *detail; /* of the most telling object */
    const char *class;   /* that stands out in the heap (ship/case_suspect.h) */
    const char *suspect; /* of the analysis; NULL also if it suspects nothing */
    int64_t time_ns;
    uint64_t size, stored_size; /* of all its objects */
    unsigned objects;
    unsigned folded;   /* a crash loop: how many older cases like it this row stands for */
    unsigned suspects; /* how many different ones all of them have, as far as is known */
    bool pinned, partial;
    const char *cursor; /* catalogue_query.after for the rows behind this one */
};

struct catalogue_query {
    const char *const *visible;                     /* namespaces that the caller may list, ends with NULL; NULL: all */
    const char *namespace, *workload, *pod, *cause; /* NULL: any */
    const char *suspect;                            /* or the class that stands out, exactly; NULL: any */
    const char *text;                               /* words, each the beginning of one in a manifest (of one or two
                                                     * letters: all of it); NULL: any */
    int64_t since_ns, until_ns;                     /* 0: any */
    const char *after;                              /* a row's cursor: those behind it; NULL: from the newest */
    unsigned limit;                                 /* 0: 100 */
    bool fold;                                      /* crash loops into one row */
};

/* Opens or makes the index and begins to read the store on a thread of its own. */
int catalogue_open(const struct catalogue_config *config, struct catalogue **ret, struct err *e);
void catalogue_close(struct catalogue *c);

/* An object or a manifest was stored or removed: read within milliseconds, not with the next listing. */
void catalogue_changed(struct catalogue *c, const char *key);

/* What this server itself has pinned or removed, at once: the next question is answered by it. Call catalogue_changed,
 * too. */
void catalogue_set_pin(struct catalogue *c, const char *id, bool pinned);
void catalogue_drop(struct catalogue *c, const struct strv *keys); /* objects' */

/* Whether the store was read once, and answered the last time: else false, with why. */
bool catalogue_ready(struct catalogue *c, struct err *e);

/* When the store was listed last, successfully and to its end, by this process; 0: not yet. */
int64_t catalogue_listed_ns(struct catalogue *c);

/* All below call fn with a lock held: it must not wait, nor call anything of the catalogue. It returns 0, or negative
 * to break off with that result. Faults: -FAULT_USAGE (the cursor), -FAULT_BUSY, -EIO, -ENOMEM. */

/* The newest first. A fold stands where its newest case does that fits the query. */
int catalogue_find(struct catalogue *c, const struct catalogue_query *q,
                   int (*fn)(void *ctx, const struct case_row *row), void *ctx, struct err *e);

/* Cases a day (UTC), the newest first: day is "2026-11-21". */
int catalogue_days(struct catalogue *c, const struct catalogue_query *q,
                   int (*fn)(void *ctx, const char *day, unsigned count), void *ctx, struct err *e);

/* The manifests of one case, as JSON texts that are not checked, its most telling object first, at most
 * CATALOGUE_MANIFESTS_MAX. They are read from the store. -FAULT_NO_OBJECT, and the store's faults. */
enum { CATALOGUE_MANIFESTS_MAX = 1000 };
int catalogue_manifests(struct catalogue *c, const char *id, int (*fn)(void *ctx, const char *json, size_t size),
                        void *ctx, struct err *e);

/* Whether retention leaves the case alone. -FAULT_NO_OBJECT, -FAULT_BUSY, -EIO. */
int catalogue_find_pin(struct catalogue *c, const char *id, bool *ret, struct err *e);

/* 1: the case is known, and out has its suspect, or the class that stands out; "": neither is known. 0: the case is not
 * known now. */
int catalogue_suspect(struct catalogue *c, const char *id, char out[SUSPECT_MAX]);

struct usage_row {
    const char *namespace;
    uint64_t cases, objects, stored_bytes;
    int64_t oldest_ns, newest_ns;
};
int catalogue_usage(struct catalogue *c, const char *const *visible, int (*fn)(void *ctx, const struct usage_row *row),
                    void *ctx, struct err *e);

/* A number that grows with each change; waits until it is above `seen`, at most timeout_ms (0: does not wait). */
uint64_t catalogue_version(struct catalogue *c, uint64_t seen, uint64_t timeout_ms);
