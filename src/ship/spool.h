/* SPDX-License-Identifier: Apache-2.0
 *
 * The state folder, and the claims in its spool:
 *
 *   STATE/lock                  held by the one watch of this state folder
 *   STATE/spool/ID/claim.json   what it is, and where it lay
 *   STATE/spool/ID/evidence     the file itself, renamed out of the application's way (not when read in place)
 *   STATE/spool/ID/journal      parts that are in the store already (ship/checkpoint.h)
 *   STATE/kept/                 with --keep: what was shipped
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

/* Opens (and makes) a state folder below dirfd; one in an application's folder (dirfd is not AT_FDCWD) must be ours,
 * and not writable by others. own: take the lock, -FAULT_LOCKED if another watch holds it. -FAULT_STATE. The spool
 * keeps its own descriptor. */
int spool_open(int dirfd, const char *path, bool own, struct spool **ret, struct err *e);
void spool_close(struct spool *s);

/* Whether a watch is at work there: it holds the lock, or the folder belongs to another user. Changes nothing. */
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
 * if the claim says so and it is still the same file (machine: place/whoami.h). -FAULT_CHANGED if it was written to
 * since (size, mtime_ns): nothing is erased then. s may be NULL for evidence in place. */
int spool_finish(struct spool *s, const struct claim *c, const char *machine, bool keep, struct err *e);

/* Erases the claim, evidence and all, though no store has it. 0 or -errno. */
int spool_discard(struct spool *s, const struct claim *c);

/* Forgets the claim, and leaves any evidence in place alone. Refuses (-EBUSY) if the evidence lies in the spool. */
int spool_drop(struct spool *s, const struct claim *c);
