/* SPDX-License-Identifier: Apache-2.0
 *
 * A claim's journal on disk (lines: ship/journal.h), and the lock of the process that works on the claim.
 * Writing it may fail (a dump has often just filled this very disk): shipping then goes on without, and says so once.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "ship/journal.h"

struct checkpoint;

/* dirfd: the claim's folder, borrowed until close; -1: keeps nothing. -FAULT_LOCKED if another process works on it. */
int checkpoint_open(int dirfd, struct checkpoint **ret, struct err *e);
void checkpoint_close(struct checkpoint *c);

/* What an earlier run left: 0, or -ENOENT if there is nothing of use. */
int checkpoint_load(struct checkpoint *c, struct journal *ret);

/* Begins a journal, in the place of any that is there. */
void checkpoint_begin(struct checkpoint *c, const struct journal_head *head);
/* Goes on with the parts that are there, under a new head: at a resume, and when a file that was followed is whole. */
void checkpoint_seal(struct checkpoint *c, const struct journal_head *head);
void checkpoint_token(struct checkpoint *c, const char *token);
void checkpoint_part(struct checkpoint *c, const struct journal_part *part);

/* -errno of the first write that failed, 0 while all is well. */
int checkpoint_error(const struct checkpoint *c);
