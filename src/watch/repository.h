/* SPDX-License-Identifier: Apache-2.0
 *
 * A repository of flight recordings: a folder YYYY_MM_DD_HH_MM_SS_PID in which a JVM stores chunks (*.jfr) that are
 * complete but still needed: JFR.dump and the end of a recording copy them (JDK's jdk.jfr.internal.Repository).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Whether this is the name of a repository; *ret_pid: its JVM's, in the JVM's PID namespace. */
bool repository_pid(const char *name, pid_t *ret_pid);

/* Whether a JVM may still need the chunks: a process with this id exists here, a chunk is open for writing, or (between
 * two chunks, or without leases) a file was written to less than rest_ms ago. */
bool repository_is_live(int dirfd, pid_t pid, unsigned rest_ms);
