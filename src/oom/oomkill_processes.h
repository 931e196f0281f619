/* SPDX-License-Identifier: Apache-2.0
 *
 * The processes of an OOM kill: those of the table that the kernel logs, and those that are killed with a whole cgroup
 * (memory.oom.group). Works on structs: the lines are read in oom/oomtable.h and oom/oomvictim.h.
 */
#pragma once

#include "oom/oomkill.h"

/* Adds a row of the table, in its order. If the list is full, a larger process replaces the smallest. */
void oomkill_add_task(struct oomkill *k, const struct oomkill_process *p);

/* The row of a process; NULL: it has none, or was not kept. */
const struct oomkill_process *oomkill_find_task(const struct oomkill *k, uint64_t pid);

/* Fills in what p lacks, and another line about the same process has. */
void oomkill_complete_process(struct oomkill_process *p, const struct oomkill_process *from);

/* Adds a process that was killed with the group. One that is logged again is counted in group.again. */
void oomkill_add_to_group(struct oomkill *k, const struct oomkill_process *p);
