/* SPDX-License-Identifier: Apache-2.0
 *
 * A claim: one piece of evidence that is ours to ship, written down before anything is done with it.
 *
 *   STATE/lock                  held by the one watch of this state folder
 *   STATE/spool/ID/claim.json   what it is, and where it lay
 *   STATE/spool/ID/evidence     the file itself, renamed out of the application's way (not when read in place)
 *   STATE/spool/ID/journal      parts that are in the store already (ship/checkpoint.h)
 *   STATE/kept/                 with --keep: what was shipped
 *
 * The rename is atomic and frees the path: HotSpot opens its dump with O_EXCL, and a second OOM at a fixed HeapDumpPath
 * finds the name free. Where STATE can't be written a claim lives in memory only (spool NULL).
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

#define STATE_NAME ".salvage"

struct spool;

struct claim {
    char id[IDENTITY_MAX];
    char *path; /* where it lay, as the user would write it; any bytes but NUL. A stream's is its name */
    char *name; /* its own name */
    char *cause;
    bool cause_given; /* by who made the claim; else it holds where the content does not say another */
    const struct kind *kind;
    int64_t time_ns; /* the key's {time} */
    int64_t found_ns, settled_ns;
    uint64_t size;       /* when settled, bytes; 0 while it grows; a stream's is a guess, or 0 */
    int64_t mtime_ns;    /* of what was shipped, with size: what differs from it is not erased; not written down */
    uint64_t disk;       /* bytes that it takes up here; not written down */
    struct fair_key key; /* whose turn and room it takes; not written down */
    uint64_t owner;      /* uid */
    bool in_place;       /* read where it lies */
    bool erase;          /* in place: the local copy goes after shipping */
    struct spool *spool; /* borrowed; NULL: nothing written down */

    /* Of the process that it tells about, where that is known (`ship --oom`). */
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

/* Opens (and makes) a state folder below dirfd; one in an application's folder (dirfd is not AT_FDCWD) must be ours,
 * and nobody else's to write to. own: take the lock, -FAULT_LOCKED if another watch holds it. -FAULT_STATE. The spool
 * keeps its own descriptor. */
int spool_open(int dirfd, const char *path, bool own, struct spool **ret, struct err *e);
void spool_close(struct spool *s);

/* Whether a watch is at work there: it holds the lock, or the folder is another user's, who will have a reason. Asks,
 * and changes nothing. */
bool spool_is_watched(int dirfd, const char *path);

int spool_fd(const struct spool *s); /* of the state folder; borrowed */

/* Writes the claim down, without moving anything. */
int spool_add(struct spool *s, const struct claim *c, struct err *e);

/* Renames DIR/NAME into the claim's place; c->in_place becomes false and claim.json is written anew. -EXDEV where the
 * state folder lies on another file system; -ESTALE if the name is another file's by now, which is put back; -EACCES,
 * -EROFS … from rename. What could not be examined after the move is put back, too. */
int spool_move_in(struct spool *s, struct claim *c, int dirfd, const char *name, const char *machine, struct err *e);

/* Bytes that the claim takes up on its volume: allocated blocks of all that lies in its folder. */
uint64_t spool_disk(struct spool *s, const struct claim *c);

/* A descriptor of the claim's folder, or of the evidence in it; -errno. */
int spool_claim_dir(struct spool *s, const struct claim *c);
int spool_evidence(struct spool *s, const struct claim *c);

/* Reads what an earlier run left: fn gets each claim (and owns it); broken ones are repaired as far as they go. */
int spool_each(struct spool *s, void (*fn)(void *ctx, struct claim *c), void *ctx);

/* It is in the store: the evidence goes (keep: to STATE/kept), then the claim. Evidence that is read in place is erased
 * if the claim says so and it is still the same file (machine: place/whoami.h). -FAULT_CHANGED if somebody wrote to it
 * since (size, mtime_ns): nothing is erased then. s may be NULL for evidence in place. */
int spool_finish(struct spool *s, const struct claim *c, const char *machine, bool keep, struct err *e);

/* Erases the claim, evidence and all, though no store has it. 0 or -errno. */
int spool_discard(struct spool *s, const struct claim *c);

/* Forgets the claim, and leaves any evidence in place alone. Refuses (-EBUSY) if the evidence lies in the spool. */
int spool_drop(struct spool *s, const struct claim *c);
