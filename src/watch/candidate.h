/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that were found and are not yet claims, by folder and name. Stores them and knows which are due; the watcher
 * decides what becomes of them. 16,000 files that are open for writing must not cost more than their number says: each
 * call here but candidates_of and candidates_settling costs the logarithm of the count.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watch/settle.h"

struct folder;

struct candidate {
    struct folder *folder; /* borrowed from the source */
    char *name;
    struct settle settle;
    int64_t found_ns;
    uint64_t due_ms;      /* monotonic; 0: an event will come. Set by candidate_schedule */
    size_t heap_at;       /* candidate.c's */
    unsigned polls_open;  /* polls in a row that found it open for writing */
    bool by_content;      /* its name says nothing */
    bool fresh;           /* by_content: has just been made or closed */
    bool content_checked; /* by_content: it begins as evidence does */
    bool may_follow, following, logged_unreadable;
    unsigned errors;       /* polls in a row that failed by an error that may pass */
    char id[IDENTITY_MAX]; /* while following */
};

struct candidates {
    void *tree;              /* tsearch(3)'s */
    struct candidate **heap; /* those with a due time, the earliest on top; index 1 is the first */
    size_t count, scheduled, capacity;
};

/* NULL without. */
struct candidate *candidate_find(const struct candidates *c, struct folder *f, const char *name);
/* The candidate of that name, or a new one; NULL without memory. */
struct candidate *candidate_add(struct candidates *c, struct folder *f, const char *name);
void candidate_drop(struct candidates *c, struct candidate *one);
void candidates_done(struct candidates *c);

/* When it is to be polled (0: not by the clock). Takes no memory. */
void candidate_schedule(struct candidates *c, struct candidate *one, uint64_t due_ms);
/* A candidate that is due; NULL: none, and *ret_next_ms is when the next will be, UINT64_MAX without. */
struct candidate *candidate_due(const struct candidates *c, uint64_t now_ms, uint64_t *ret_next_ms);
/* Those of this folder: how many, in a list to be freed by the caller. */
size_t candidates_of(const struct candidates *c, const struct folder *f, struct candidate ***ret);
/* Whether any is on its way to become a claim by itself: it rests, is followed, or is a dump that we saw begin. */
bool candidates_settling(const struct candidates *c);
/* Calls fn with each of those. */
void candidates_each_settling(const struct candidates *c, void (*fn)(void *ctx, const struct candidate *one),
                              void *ctx);
