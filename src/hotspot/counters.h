/* SPDX-License-Identifier: Apache-2.0
 *
 * The counters of a running JVM, read from outside through the file that it maps. Works on a stopped JVM, and on one in
 * another container that is visible here.
 *
 * Consistency: the JVM writes each counter atomically and without a lock, and does not mark that values changed. So a
 * snapshot is two equal readings in a row: the JVM did not write in between. If the JVM writes all the time, it is the
 * last of several readings, in which counters that change together may differ in age by microseconds. During a
 * collection they show its progress so far. JDK 17 updates "used" of eden and "ticks" every 50 ms; JDK 25 has no ticks,
 * and updates most counters at a collection only.
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
    struct buf bytes; /* what perf points into; reused by the next reading */
    struct hsperf perf;
};

/* Opens the file, for several readings. Returns its descriptor, which stays readable after the JVM has ended (and does
 * not show that). -ENOENT if the JVM has no counters; -ESRCH; -EACCES; -EPERM if the file belongs to another user. */
int counters_open(const struct proc *p, struct err *e);

/* ret: zeroed before the first reading. -EAGAIN: the JVM is starting up; -FAULT_FORMAT; -ENOMEM. */
int counters_load(const struct proc *p, int fd, struct counters *ret, struct err *e);

/* Opens and loads. */
int counters_read(const struct proc *p, struct counters *ret, struct err *e);
void counters_done(struct counters *c);

/* Finds the file by its name in our own /tmp, for a JVM whose folders are hidden from us. False if that owner has
 * none. */
bool counters_find_named(pid_t inner_pid, uid_t owner, char out[COUNTERS_PATH_MAX]);
