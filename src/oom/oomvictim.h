/* SPDX-License-Identifier: Apache-2.0
 *
 * Parses single lines of the kernel log about the kill itself (Linux 2.6.32 to 6.18, and with the changes of
 * distributions: mm/oom_kill.c). The name of a process has at most 15 bytes, any of them: lines are split by the
 * kernel's words around it. Knows no order of lines (oom/oomlog.h). Each function returns whether the text is such a
 * line; if not, ret is untouched.
 */
#pragma once

#include "oom/oomkill.h"

enum oomvictim_scope { OOMVICTIM_ANY, OOMVICTIM_CGROUP, OOMVICTIM_MACHINE, OOMVICTIM_CPUSET, OOMVICTIM_POLICY };

/* "Memory cgroup out of memory: Killed process 4711 (java) total-vm:1kB, anon-rss:1kB, …". Until Linux 5.0 without
 * the words before "Killed"; with the uid in one of three places (RHEL 6, RHEL 7, Linux 5.4); without sizes
 * (2.6.32). Unknown sizes are ignored. */
bool oomvictim_killed(const char *text, enum oomvictim_scope *ret_scope, struct oomkill_process *ret);

/* "Memory cgroup out of memory: Kill process 4711 (java) score 1000 or sacrifice child", until Linux 5.0: the reason
 * for the next kill. This process was chosen, and may live on: its child is killed. */
bool oomvictim_chosen(const char *text, enum oomvictim_scope *ret_scope);

/* "…: OOM victim 4711 (java) is already exiting. Skip killing the task", "Out of memory and no killable
 * processes...", or a panic instead of a kill. */
bool oomvictim_spared(const char *text);

/* "Tasks in /a are going to be killed due to memory.oom.group set" */
bool oomvictim_group(const char *text, char ret_cgroup[OOMKILL_PATH_MAX]);

/* "oom_reaper: reaped process 4711 (java), now anon-rss:0kB, …" */
bool oomvictim_reaped(const char *text, uint64_t *ret_pid);
