/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The kernel log, record by record, to one struct a kill for want of memory. What else is in the log may
 * come in between. Two kills don't come at once: the kernel holds its oom_lock from "invoked oom-killer" to the last
 * "Killed process". Only what the kernel itself has written counts. Allocates once, and never reads a clock.
 */
#pragma once

#include "linux/kmsgrecord.h"
#include "oom/oomkill.h"

struct oomlog;

/* What a kill's source and note are, note where there was no report: it then has a process and nothing more. */
#define OOMLOG_SOURCE "kernel-log"
#define OOMLOG_NOTE_ONE_LINE "the kernel wrote one line only: what it says of each kill it limits to 10 in 5 seconds"

/* page_size: of the kernel that wrote, bytes. NULL without memory (about 145 KiB). */
struct oomlog *oomlog_new(uint64_t page_size);
void oomlog_free(struct oomlog *l);

/* What comes is of a file, which may have lost lines anywhere: whom the kernel chose counts as killed where the line of
 * the kill is missing. The live log has that line, or nobody was killed. */
void oomlog_of_file(struct oomlog *l);

/* The next record. A kill that is now known to be whole, of an earlier record mostly, or NULL. It is the caller's to
 * write to, and good until the next call. */
struct oomkill *oomlog_feed(struct oomlog *l, const struct kmsgrecord *r);

/* Whether a kill waits for what may yet be said of it: those killed with it, microseconds later; or that its memory was
 * taken, seconds later. */
bool oomlog_waits(const struct oomlog *l);

/* Whether it is one of a whole cgroup (memory.oom.group), whose processes are named one by one: on a busy machine many
 * milliseconds apart. */
bool oomlog_in_group(const struct oomlog *l);

/* That kill as it is; NULL without. */
struct oomkill *oomlog_flush(struct oomlog *l);

/* Records were overwritten before they could be read: what goes on behind the gap is nothing that was before it. Like
 * oomlog_flush. */
struct oomkill *oomlog_gap(struct oomlog *l);
