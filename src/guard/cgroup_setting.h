/* SPDX-License-Identifier: Apache-2.0
 *
 * One setting of a memory cgroup (guard/limit_journal.h): where it is, what it says, and changing it. Writes into
 * nothing but a cgroup's file, whatever a journal may say, and only if it is the cgroup that is meant.
 */
#pragma once

#include "guard/limit_journal.h"
#include "linux/memcg.h"

/* The folder of a level of m, as a setting knows it, and its descriptor (O_PATH), to be closed. -ENODEV: gone; -EXDEV:
 * no path leads there from here: it is seen through another process's mounts. */
int setting_of_level(const struct memcg *m, unsigned level, struct limit_override_setting *ret);

/* The folder's descriptor. -ENOENT: gone, or another cgroup has its name by now; -EXDEV: no cgroup's file system. */
int setting_open(const struct limit_override_setting *s);

/* folder: of setting_open. -ENOENT: there is no such setting; -ENODEV: the cgroup is gone; -EINVAL. */
int setting_read(int folder, enum limit_override_file file, char ret[LIMIT_OVERRIDE_VALUE_MAX]);

/* May take as long as the kernel needs to reclaim what is over a lower limit. v1: -EBUSY where it can't. */
int setting_write(int folder, enum limit_override_file file, const char *value);

/* Bytes in use, as that limit counts them. */
int setting_usage(int folder, enum limit_override_file file, uint64_t *ret);
