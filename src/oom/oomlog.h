/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The kernel log, record by record, to one struct for each OOM kill. Records of other kinds may come
 * in between. Two kills never overlap: the kernel holds its oom_lock from "invoked oom-killer" to the last "Killed
 * process". Only records that the kernel itself wrote count. Allocates once, and never reads a clock.
 */
#pragma once

#include "linux/kmsgrecord.h"
#include "oom/oomkill.h"

struct oomlog;

/* Source and note of a kill; the note is for a kill without a report, of which only the process is known. */
#define OOMLOG_SOURCE "kernel-log"
#define OOMLOG_NOTE_ONE_LINE "the kernel wrote one line only: it writes at most 10 reports in 5 seconds"

/* page_size: of the kernel that wrote the log, bytes. NULL if out of memory (about 145 KiB). */
struct oomlog *oomlog_new(uint64_t page_size);
void oomlog_free(struct oomlog *l);

/* The records come from a file, where lines may be missing: the process that the kernel chose counts as killed even
 * without the line of the kill. In the live log that line exists, or no process was killed. */
void oomlog_of_file(struct oomlog *l);

/* Feeds the next record. Returns a kill that is now complete, usually of an earlier record, or NULL. The caller may
 * change it; valid until the next call. */
struct oomkill *oomlog_feed(struct oomlog *l, const struct kmsgrecord *r);

/* Whether a kill waits for further lines: the processes killed with it, microseconds later, or that its memory was
 * reaped, seconds later. */
bool oomlog_waits(const struct oomlog *l);

/* Whether the waiting kill is one of a whole cgroup (memory.oom.group), whose processes are logged one by one, on a
 * busy machine many milliseconds apart. */
bool oomlog_in_group(const struct oomlog *l);

/* Returns the waiting kill as it is; NULL: there is none. */
struct oomkill *oomlog_flush(struct oomlog *l);

/* Records were overwritten before they were read: what follows does not continue what was before. Else like
 * oomlog_flush. */
struct oomkill *oomlog_gap(struct oomlog *l);
