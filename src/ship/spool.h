/* SPDX-License-Identifier: Apache-2.0
 *
 * The state folder, and the claims in its spool:
 *
 *   STATE/lock                  held by the one watch of this state folder
 *   STATE/spool/ID/claim.json   kind, cause, time and former path of the evidence
 *   STATE/spool/ID/evidence     the file, renamed to this place (missing when it is read in place)
 *   STATE/spool/ID/journal      parts that are in the store already (ship/checkpoint.h)
 *   STATE/kept/                 with --keep: files that were shipped
 *
 * The rename is atomic and frees the path: HotSpot opens its dump with O_EXCL, and a second OOM at a fixed HeapDumpPath
 * finds the name free.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "ship/claim.h"

#define STATE_NAME ".salvage"

struct spool;

/* Opens a state folder below dirfd, and makes it if it is missing; in an application's folder (dirfd is not AT_FDCWD)
 * it must belong to us and not be writable for others. own: takes the lock, -FAULT_LOCKED if another watch holds it.
 * -FAULT_STATE. Borrows dirfd during the call only. */
int spool_open(int dirfd, const char *path, bool own, struct spool **ret, struct err *e);
void spool_close(struct spool *s);

/* Whether a watch runs there: the lock is held, or the folder belongs to another user. Changes nothing. */
bool spool_is_watched(int dirfd, const char *path);

int spool_fd(const struct spool *s); /* of the state folder; borrowed */

/* Writes claim.json; moves nothing. */
int spool_add(struct spool *s, const struct claim *c, struct err *e);

/* Where the evidence lies before it is moved. */
struct spool_source {
    int dirfd; /* borrowed */
    const char *name;
    const char *machine; /* place/whoami.h: part of the claim's id */
};

/* Renames the evidence into the claim's folder; c->in_place becomes false and claim.json is written again. -EXDEV where
 * the state folder lies on another file system; -ESTALE if another file has the name by now: it is moved back; -EACCES,
 * -EROFS … from rename. A file that can't be examined after the move is moved back, too. */
int spool_move_in(struct spool *s, struct claim *c, const struct spool_source *from, struct err *e);

/* Bytes that the claim occupies on its volume: the allocated blocks of all files in its folder. */
uint64_t spool_disk(struct spool *s, const struct claim *c);

/* A descriptor of the claim's folder, or of the evidence in it; -errno. */
int spool_claim_dir(struct spool *s, const struct claim *c);
int spool_evidence(struct spool *s, const struct claim *c);

/* Reads the claims of an earlier run. fn owns each claim that it gets; a damaged one is repaired as far as possible. */
int spool_each(struct spool *s, void (*fn)(void *ctx, struct claim *c), void *ctx);

/* After the evidence was stored: erases it (keep: moves it to STATE/kept), then the claim. Evidence that is read in
 * place is erased if the claim says so and the path still names the same file (machine: place/whoami.h). -FAULT_CHANGED
 * if it was written to since (size, mtime_ns): nothing is erased then. s may be NULL for evidence in place. */
int spool_finish(struct spool *s, const struct claim *c, const char *machine, bool keep, struct err *e);

/* Erases the claim and its evidence, which no store has. 0 or -errno. */
int spool_discard(struct spool *s, const struct claim *c);

/* Erases the claim alone; evidence in place stays. -EBUSY if the evidence lies in the spool. */
int spool_drop(struct spool *s, const struct claim *c);
