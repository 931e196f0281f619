/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A kernel log that a tool has saved, line by line, to one struct for each kill (oom/oomlog.h):
 * removes the prefixes of lines, joins wrapped lines, and separates boots. Never reads a clock.
 */
#pragma once

#include <stddef.h>

#include "oom/oomkill.h"

struct oomsaved;

/* Called for each kill, which it may change until it returns. time_ns is set if the log has dates. zoned: the date
 * has a time zone, else time_ns is as if it were UTC. yearless: the date has no year, and time_ns is in 1972. A
 * negative result ends the reading. */
typedef int oomsaved_kill(void *ctx, struct oomkill *k, bool zoned, bool yearless);

/* NULL if out of memory. */
struct oomsaved *oomsaved_new(oomsaved_kill *kill, void *ctx);
void oomsaved_free(struct oomsaved *s);

/* Feeds a line without its line end; cut at 8 KiB. 0, or what kill returned if that is negative. */
int oomsaved_line(struct oomsaved *s, const char *line, size_t size);

/* The file's end: the next line is of another one. */
int oomsaved_end(struct oomsaved *s);
