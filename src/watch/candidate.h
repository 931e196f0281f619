/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that were found and are not yet claims, by folder and name, and which of them are due. The watcher decides what
 * happens to them. Every call takes logarithmic time, except candidates_of and candidates_settling: a watch may have
 * 16,000 files that are open for writing.
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
    uint64_t due_ms;      /* monotonic; 0: waits for an event. Set by candidate_schedule */
    size_t heap_at;       /* candidate.c's */
    unsigned polls_open;  /* consecutive polls that found it open for writing */
    bool by_content;      /* its name is not one of evidence */
    bool fresh;           /* by_content: was just made or closed */
    bool content_checked; /* by_content: its first bytes are those of evidence */
    bool may_follow, following, logged_unreadable;
    unsigned errors;       /* consecutive polls that failed with an error that may pass */
    char id[IDENTITY_MAX]; /* while following */
};

struct candidates {
    void *tree;              /* tsearch(3)'s */
    struct candidate **heap; /* heap of those with a due time, the earliest on top; begins at index 1 */
    size_t count, scheduled, capacity;
};

/* NULL without. */
struct candidate *candidate_find(const struct candidates *c, struct folder *f, const char *name);
/* The candidate of that name, or a new one; NULL without memory. */
struct candidate *candidate_add(struct candidates *c, struct folder *f, const char *name);
void candidate_drop(struct candidates *c, struct candidate *one);
void candidates_done(struct candidates *c);

/* Sets the time of the next poll (0: on an event). Allocates nothing. */
void candidate_schedule(struct candidates *c, struct candidate *one, uint64_t due_ms);
/* A candidate that is due; NULL: none, and *ret_next_ms is the time of the next one, UINT64_MAX if there is none. */
struct candidate *candidate_due(const struct candidates *c, uint64_t now_ms, uint64_t *ret_next_ms);
/* The candidates of a folder: returns their number; the caller frees the list. */
size_t candidates_of(const struct candidates *c, const struct folder *f, struct candidate ***ret);
/* Whether any may become a claim without an event: it rests, is followed, or is a dump whose beginning we have seen. */
bool candidates_settling(const struct candidates *c);
/* Calls fn for each of those. */
void candidates_each_settling(const struct candidates *c, void (*fn)(void *ctx, const struct candidate *one),
                              void *ctx);
