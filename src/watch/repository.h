/* SPDX-License-Identifier: Apache-2.0
 *
 * A repository of flight recordings: a folder YYYY_MM_DD_HH_MM_SS_PID where a JVM keeps chunks (*.jfr) that it has
 * ended but still needs: JFR.dump and the end of a recording copy them (JDK's jdk.jfr.internal.Repository).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Whether a folder's own name is that of a repository; then *ret_pid is its JVM's, in the JVM's pid namespace. */
bool repository_pid(const char *name, pid_t *ret_pid);

/* Whether a JVM may still need what is in it: a process of that id exists here, a chunk is open for writing, or
 * (between two chunks, or where the kernel does not say) something was written less than rest_ms ago. */
bool repository_is_live(int dirfd, pid_t pid, unsigned rest_ms);
