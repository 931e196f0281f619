/* SPDX-License-Identifier: Apache-2.0
 *
 * A claim: one piece of evidence that we ship, recorded before anything is done with it. Where no state folder can be
 * written to, it exists in memory only (spool NULL).
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

/* The pod that evidence is of, where its path does not say so. Owned; namespace NULL: unknown. */
struct claim_pod {
    char *namespace, *pod, *uid;
    char *container; /* NULL: of no container alone */
};

struct claim {
    char id[IDENTITY_MAX];
    char case_id[IDENTITY_MAX]; /* of its case, if that has several pieces; "": `id` */
    char *path; /* of the file before it was claimed, as the user would write it; any bytes but NUL; of a stream, its
                   name */
    char *name; /* of the file */
    char *cause;
    bool cause_given; /* by the caller; else a cause in the content counts more */
    const struct kind *kind;
    int64_t time_ns; /* the key's {time} */
    int64_t found_ns, settled_ns;
    uint64_t size; /* bytes, when settled; 0 while it grows; of a stream an estimate, or 0 */
    int64_t
        mtime_ns;  /* of the file that was shipped: one with another mtime or size is not erased; not in claim.json */
    uint64_t disk; /* bytes that it occupies on this disk; not in claim.json */
    struct fair_key key; /* the tenant, for turns and room; not in claim.json */
    uint64_t owner;      /* uid */
    bool in_place;       /* read where it lies */
    bool erase;          /* in place: the file is erased after shipping */
    struct spool *spool; /* borrowed; NULL: there is no claim.json */

    /* The process that the evidence is about, where known (`ship --oom`). */
    uint64_t pid;        /* in its own PID namespace; 0 unknown */
    char *jvm, *command; /* NULL unknown */
    char *detail;        /* the cause in words; NULL: as the evidence says */
    char *sensitive;     /* why the evidence needs more care than others; NULL: it does not */
    struct pause pause;  /* that it took */

    /* By the node's table of pods. In claim.json of a pod's volume the pod may have changed it: the loop sets it anew.
     */
    struct claim_pod pod;
};

/* A claim on a file that is read in place: id, kind, times, size and owner are the file's, the cause its kind's. path:
 * malloc'ed, taken; NULL is -ENOMEM. 0 or -ENOMEM; ret is zeroed then. */
int claim_of_file(struct claim *ret, char *path, const char *name, const struct identity *file, enum content content);

/* Sets the pod; NULL: none. 0, or -ENOMEM, and then there is none. */
int claim_set_pod(struct claim *c, const struct claim_pod *pod);

/* What the store and people know it by. */
const char *claim_case_id(const struct claim *c);

void claim_done(struct claim *c);
void claim_free(struct claim *c); /* malloc'ed; may be NULL */

/* As JSON: for claim.json and for the worker. */
int claim_encode(const struct claim *c, struct buf *ret);
int claim_decode(const char *json, size_t size, struct claim *ret);
