/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads and class histogram of a JVM that comes near a limit of threads, taken before it: at the limit "unable to
 * create native thread" is thrown, for which HotSpot leaves nothing. A JVM that was not attached to while it had room
 * is not asked (hotspot/attach_obstacle.h).
 */
#pragma once

#include "hotspot/jvmtrace.h"
#include "linux/threadroom.h"

/* threads: how many the JVM has. Whether a tenth of the limit or less is left. */
bool near_limit_is(const struct threadroom *room, uint64_t threads);

/* Into files below root, for a watch. Logs what became of it. Takes a few seconds at most. */
void near_limit_take(const struct jvmtrace *t, const struct threadroom *room, const char *root, const char *below);

/* A new file of ours below root, for its owner's tenant, whatever links a stranger has put there. Its descriptor, or
 * -errno. */
int near_limit_create(const char *root, const char *path, uid_t owner);
