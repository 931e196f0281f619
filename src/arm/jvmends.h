/* SPDX-License-Identifier: Apache-2.0
 *
 * The ends of JVMs that leave nothing by themselves: for direct buffers, native threads and an OutOfMemoryError that
 * Java code throws, HotSpot makes no dump and runs no hook. Holds the counters of each JVM open, which stay readable
 * behind its end; where one ended badly and neither a dump nor a crash log was made, writes a record (hotspot/jvmend.h)
 * into the folder that is watched. Asks no JVM anything.
 *
 * How a JVM ended is read in the moment between its death and its parent's wait(2), or known of the application by
 * jvmends_status; else it is unknown, and the record is written.
 */
#pragma once

#include "hotspot/jvmtrace.h"

enum { JVMENDS_MAX = 256 };

struct jvmends;

/* NULL without memory or descriptors. */
struct jvmends *jvmends_new(void);
void jvmends_free(struct jvmends *e);

/* Readable when a JVM has ended. */
int jvmends_fd(const struct jvmends *e);

/* Remembers a JVM, and where it dumps; of one that is known, only the latter. root: a folder that is watched; below:
 * the place of the record in it, "" or "/a/b". False: its counters are not there yet, and it is to be noted again. */
bool jvmends_note(struct jvmends *e, const struct jvmtrace *t, const char *root, const char *below);

/* While they live: what the kernel counts of them. Of one that comes near a limit of threads, what can still be had is
 * taken, once (arm/near_limit.h). */
void jvmends_sample(struct jvmends *e);

/* The application that JVMs are, or run below, has ended. status: as wait has it. */
void jvmends_status(struct jvmends *e, pid_t pid, int status);

/* Of those that have ended. last: nothing more will be known of them. */
void jvmends_collect(struct jvmends *e, bool last);
