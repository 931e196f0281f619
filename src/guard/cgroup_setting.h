/* SPDX-License-Identifier: Apache-2.0
 *
 * One setting of a memory cgroup (guard/limit_journal.h): finds, reads and writes it. Writes only to a cgroup's
 * file, whatever a journal says, and only if it is the same cgroup.
 */
#pragma once

#include "guard/limit_journal.h"
#include "linux/memcg.h"

/* Fills in the folder of a level of m, and returns its descriptor (O_PATH), to be closed. -ENODEV: gone; -EXDEV: no
 * path leads there from here: it is visible through another process's mounts only. */
int setting_of_level(const struct memcg *m, unsigned level, struct limit_override_setting *ret);

/* The folder's descriptor. -ENOENT: gone, or another cgroup has its name now; -EXDEV: not on a cgroup file system. */
int setting_open(const struct limit_override_setting *s);

/* folder: of setting_open. -ENOENT: there is no such setting; -ENODEV: the cgroup is gone; -EINVAL. */
int setting_read(int folder, enum limit_override_file file, char ret[LIMIT_OVERRIDE_VALUE_MAX]);

/* May block while the kernel reclaims what exceeds a lower limit. v1: -EBUSY if it can't. */
int setting_write(int folder, enum limit_override_file file, const char *value);

/* Bytes in use, as counted for that limit. */
int setting_usage(int folder, enum limit_override_file file, uint64_t *ret);
