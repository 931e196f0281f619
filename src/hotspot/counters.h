/* SPDX-License-Identifier: Apache-2.0
 *
 * The counters of a running JVM, read from outside without asking it: a stopped JVM has them too, and one in a
 * container that is seen from here.
 *
 * What a reader may rely on: the JVM writes its counters with no lock, each of them at once, and marks only that there
 * is a new one, never that a value changed. So a snapshot is two equal readings in a row: the JVM did not write in
 * between. While the JVM writes all the time, it is the last of several readings, and of counters that change together
 * some may be older than others by microseconds. A collection under way has counted what it has done so far. JDK 17
 * samples "used" of eden and "ticks" every 50 ms; JDK 25 has no ticks, and most of it changes at a collection only.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "hotspot/hsperf.h"
#include "linux/proc.h"

enum { COUNTERS_PATH_MAX = 300 };

struct counters {
    struct buf bytes; /* what perf points into; its memory is used again by the next reading */
    struct hsperf perf;
};

/* For several readings. Returns a descriptor of the file; it stays readable when the JVM has ended, and says nothing of
 * that. -ENOENT if the JVM keeps no such file; -ESRCH; -EACCES; -EPERM for what is not the JVM's own. */
int counters_open(const struct proc *p, struct err *e);

/* ret: zeroed before the first reading. -EAGAIN: the JVM is starting up; -FAULT_FORMAT; -ENOMEM. */
int counters_load(const struct proc *p, int fd, struct counters *ret, struct err *e);

/* Both. */
int counters_read(const struct proc *p, struct counters *ret, struct err *e);
void counters_done(struct counters *c);

/* The file by its name, in our own /tmp: for a JVM whose folders are hidden from us. False without one of that owner.
 */
bool counters_named(pid_t inner_pid, uid_t owner, char out[COUNTERS_PATH_MAX]);
