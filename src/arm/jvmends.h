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

/* Adds a JVM and the path of its dumps; for a known JVM, only that path is replaced. root: a watched folder; below: the
 * folder of the record in it, "" or "/a/b". False: the JVM's counters are not there yet: call again. */
bool jvmends_note(struct jvmends *e, const struct jvmtrace *t, const char *root, const char *below);

/* Reads memory and threads of the living JVMs. For a JVM near its limit of threads, evidence is taken that will be out
 * of reach at the limit, once (arm/near_limit.h). */
void jvmends_sample(struct jvmends *e);

/* The application, pid, has ended: it is a JVM, or JVMs are its descendants. status: of wait(2). */
void jvmends_status(struct jvmends *e, pid_t pid, int status);

/* Records the ends of the JVMs that have ended. last: jvmends_status will not be called any more. */
void jvmends_collect(struct jvmends *e, bool last);
