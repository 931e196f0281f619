/* SPDX-License-Identifier: Apache-2.0
 *
 * A claim: one piece of evidence that is ours to ship, written down before anything is done with it.
 * Where no state folder can be written to it lives in memory only (spool NULL).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "linux/pause.h"
#include "place/identity.h"
#include "ship/fair.h"
#include "ship/kind.h"

struct spool;

struct claim {
    char id[IDENTITY_MAX];
    char *path; /* where it lay, as the user would write it; any bytes but NUL. A stream's is its name */
    char *name; /* of the file */
    char *cause;
    bool cause_given; /* by the maker of the claim; else the content's own cause counts more */
    const struct kind *kind;
    int64_t time_ns; /* the key's {time} */
    int64_t found_ns, settled_ns;
    uint64_t size;       /* when settled, bytes; 0 while it grows; a stream's is a guess, or 0 */
    int64_t mtime_ns;    /* of what was shipped, with size: what differs from it is not erased; not written down */
    uint64_t disk;       /* bytes that it takes up here; not written down */
    struct fair_key key; /* by which turns and room are shared; not written down */
    uint64_t owner;      /* uid */
    bool in_place;       /* read where it lies */
    bool erase;          /* in place: the local copy goes after shipping */
    struct spool *spool; /* borrowed; NULL: nothing written down */

    /* Of the process that the evidence is of, where known (`ship --oom`). */
    uint64_t pid;        /* as it knew itself; 0 unknown */
    char *jvm, *command; /* NULL unknown */
    struct pause pause;  /* that it took */
};

/* A claim on a file that is read where it lies: id, kind, times, size and owner are the file's, the cause its kind's.
 * path: malloc'ed, taken; NULL is -ENOMEM. 0 or -ENOMEM, and then nothing is left in ret. */
int claim_of_file(struct claim *ret, char *path, const char *name, const struct identity *file, enum content content);

void claim_done(struct claim *c);
void claim_free(struct claim *c); /* of the heap; NULL is fine */

/* As JSON: for claim.json and for the worker. */
int claim_encode(const struct claim *c, struct buf *ret);
int claim_decode(const char *json, size_t size, struct claim *ret);
