/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The summary of a piece of evidence by its kind: one table, a row for each kind. Runs in a process that
 * holds no credentials. A heap dump in HotSpot's format has none here: its summary is made while it is read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/summary.h"
#include "ship/content.h"

/* Bytes of such evidence that are looked at: what is larger has no summary. 0: there is no row for it. kind: a kind's
 * name (ship/kind.h). */
size_t evidence_summary_max(const char *kind, enum content content);

/* Whether there is a row for the kind, with some content. */
bool evidence_summary_exists(const char *kind);

/* data: all of it, or what there is. Sets *ret. 0; -ENOENT: no row; -EBADMSG: it is not what its kind says, or has
 * nothing to say; -ENOMEM; ret is untouched on failure. Functions in the table need not care about printable text: that
 * is done here. */
int evidence_summary(const char *kind, enum content content, const void *data, size_t size, struct summary *ret);

/* Replaces by '?' what could harm a terminal, and cuts texts that have no end. */
void summary_make_printable(struct summary *s);
