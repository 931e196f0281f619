/* SPDX-License-Identifier: Apache-2.0
 *
 * What single lines of the kernel log say of the kill itself (Linux 2.6.32 to 6.18, and as distributions have changed
 * it: mm/oom_kill.c). A process's name has at most 15 bytes, any of them: lines are taken apart from what the kernel
 * wrote around it. Knows no order of lines (oom/oomlog.h). Each: whether it is such a line; ret is untouched if not.
 */
#pragma once

#include "oom/oomkill.h"

enum oomvictim_scope { OOMVICTIM_ANY, OOMVICTIM_CGROUP, OOMVICTIM_MACHINE, OOMVICTIM_CPUSET, OOMVICTIM_POLICY };

/* "Memory cgroup out of memory: Killed process 4711 (java) total-vm:1kB, anon-rss:1kB, …". Until Linux 5.0 without what
 * stands before "Killed"; with the user's id in one of three places (RHEL 6, RHEL 7, Linux 5.4); without any size
 * (2.6.32). Sizes that are not known by name are passed over. */
bool oomvictim_killed(const char *text, enum oomvictim_scope *ret_scope, struct oomkill_process *ret);

/* "Memory cgroup out of memory: Kill process 4711 (java) score 1000 or sacrifice child", until Linux 5.0: what the next
 * kill is for. The process is the choice, and may live: its child is killed. */
bool oomvictim_chosen(const char *text, enum oomvictim_scope *ret_scope);

/* "…: OOM victim 4711 (java) is already exiting. Skip killing the task", "Out of memory and no killable processes...",
 * or a panic instead. */
bool oomvictim_spared(const char *text);

/* "Tasks in /a are going to be killed due to memory.oom.group set" */
bool oomvictim_group(const char *text, char ret_cgroup[OOMKILL_PATH_MAX]);

/* "oom_reaper: reaped process 4711 (java), now anon-rss:0kB, …" */
bool oomvictim_reaped(const char *text, uint64_t *ret_pid);
