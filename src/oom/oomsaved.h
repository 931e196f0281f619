/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A kernel log that a tool has saved, line by line, to one struct a kill (oom/oomlog.h): takes away what
 * is before the lines, joins those that were wrapped, and parts the boots. Never reads a clock.
 */
#pragma once

#include <stddef.h>

#include "oom/oomkill.h"

struct oomsaved;

/* A kill, the callee's until it returns. time_ns is set if the log has dates; zoned: and says of which zone, else the
 * time is as if it were UTC; yearless: and the year is 1972. Negative ends the reading. */
typedef int oomsaved_kill(void *ctx, struct oomkill *k, bool zoned, bool yearless);

/* NULL without memory. */
struct oomsaved *oomsaved_new(oomsaved_kill *kill, void *ctx);
void oomsaved_free(struct oomsaved *s);

/* A line without its end; beyond 8 KiB it is cut. What kill returned if that is negative, else 0. */
int oomsaved_line(struct oomsaved *s, const char *line, size_t size);

/* The file's end: the next line is of another one. */
int oomsaved_end(struct oomsaved *s);

/* Lines so far that are a kernel log's by their form, as far as it is about kills. */
size_t oomsaved_known(const struct oomsaved *s);
