/* SPDX-License-Identifier: Apache-2.0
 *
 * A claim's journal on disk (lines: ship/journal.h), and the lock of the process that works on the claim. Writing it
 * may fail (a dump has often just filled this disk): shipping then continues without a journal, with one warning.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "ship/journal.h"

struct checkpoint;

/* dirfd: the claim's folder, borrowed until close; -1: no journal. -FAULT_LOCKED if another process works on the claim.
 */
int checkpoint_open(int dirfd, struct checkpoint **ret, struct err *e);
void checkpoint_close(struct checkpoint *c);

/* The journal of an earlier attempt: 0, or -ENOENT if there is none that can be used. */
int checkpoint_load(struct checkpoint *c, struct journal *ret);

/* Begins a new journal, which replaces an earlier one. */
void checkpoint_begin(struct checkpoint *c, const struct journal_head *head);
/* Keeps the journal's parts, and replaces its head: at a resume, and when a followed file is complete. */
void checkpoint_seal(struct checkpoint *c, const struct journal_head *head);
void checkpoint_token(struct checkpoint *c, const char *token);
void checkpoint_part(struct checkpoint *c, const struct journal_part *part);

/* -errno of the first write that failed; 0 if none has. */
int checkpoint_error(const struct checkpoint *c);
