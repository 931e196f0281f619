/* SPDX-License-Identifier: Apache-2.0
 *
 * What single lines of the kernel log say of a kill for want of memory (Linux 2.6.32 to
 * 6.18, and as distributions have changed it: mm/oom_kill.c, mm/memcontrol.c): the report before it. The kill itself is
 * oom/oomvictim.h's. Names of processes and cgroups are anybody's, with any bytes: lines are taken apart from what
 * the kernel wrote around them. Knows no order of lines (oom/oomlog.h). Each: whether it is such a line; ret is
 * untouched if not.
 */
#pragma once

#include "oom/oomkill.h"

/* "java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0": all but the pid. Between them stands
 * "nodemask=…" in Linux 4.9 to 4.18, "oom_adj=0" until 3.6; what is missing is unknown. */
bool oomline_invoked(const char *text, struct oomkill_invoker *ret);

/* "CPU: 1 PID: 4711 Comm: java …" or "Pid: 4711, comm: java …", the head of that thread's stack. */
bool oomline_stack(const char *text, const char *name, uint64_t *ret_pid);

/* "memory: usage 1kB, limit 2kB, failcnt 3", for what "memory". */
bool oomline_amount(const char *text, const char *what, struct oomkill_amount *ret);

/* "262014 pages RAM" */
bool oomline_ram(const char *text, uint64_t page_size, uint64_t *ret_bytes);

/* "Task in /a/b killed as a result of limit of /a", until Linux 4.20; "limit of host" is no cgroup's. */
bool oomline_task_in(const char *text, struct oomkill *ret);

/* "Memory cgroup stats for /a:", and until Linux 5.2 all of them behind it. They are added to ret->stat, and the path
 * is ret->limit_cgroup; of a cgroup below that nothing is taken. */
bool oomline_stats_of(const char *text, struct oomkill *ret);

/* "anon 4096": added to ret->stat. From Linux 5.3 to 6.3 one record has them all, cut where that is too long. */
bool oomline_stats(const char *text, struct oomkill *ret);

struct oomline_summary {
    char constraint[32]; /* "CONSTRAINT_MEMCG" */
    uint64_t pid, uid;
    char name[OOMKILL_NAME_MAX], task_cgroup[OOMKILL_PATH_MAX], limit_cgroup[OOMKILL_PATH_MAX]; /* "" without */
};

/* "oom-kill:constraint=…,oom_memcg=/a,task_memcg=/a/b,task=java,pid=4711,uid=0", since Linux 5.0. k: what is known of
 * the kill so far, which decides where a name in it ends that was made to look like two. */
bool oomline_summary(const char *text, const struct oomkill *k, struct oomline_summary *ret);
