/* SPDX-License-Identifier: Apache-2.0
 *
 * Parses single lines of the report that the kernel logs before an OOM kill (Linux 2.6.32 to 6.18, and with the
 * changes of distributions: mm/oom_kill.c, mm/memcontrol.c). oom/oomvictim.h parses the line of the kill. Names of
 * processes and cgroups may have any bytes: lines are split by the kernel's words around them. Knows no order of
 * lines (oom/oomlog.h). Each function returns whether the text is such a line; if not, ret is untouched.
 */
#pragma once

#include "oom/oomkill.h"

/* "java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0": everything but the pid. Linux 4.9
 * to 4.18 has "nodemask=…" in between, up to 3.6 "oom_adj=0"; what is missing is unknown. */
bool oomline_invoked(const char *text, struct oomkill_invoker *ret);

/* "CPU: 1 PID: 4711 Comm: java …" or "Pid: 4711, comm: java …": the head of that thread's stack trace. */
bool oomline_stack(const char *text, const char *name, uint64_t *ret_pid);

/* "memory: usage 1kB, limit 2kB, failcnt 3", where what is "memory". */
bool oomline_amount(const char *text, const char *what, struct oomkill_amount *ret);

/* "262014 pages RAM" */
bool oomline_ram(const char *text, uint64_t page_size, uint64_t *ret_bytes);

/* "Task in /a/b killed as a result of limit of /a", until Linux 4.20; "limit of host" is the limit of no cgroup. */
bool oomline_task_in(const char *text, struct oomkill *ret);

/* "Memory cgroup stats for /a:", until Linux 5.2 with all statistics behind it: added to ret->stat if the path is
 * ret->limit_cgroup; statistics of cgroups below are ignored. */
bool oomline_stats_of(const char *text, struct oomkill *ret);

/* "anon 4096": added to ret->stat. In Linux 5.3 to 6.3 one record has all of them, cut if that is too long. */
bool oomline_stats(const char *text, struct oomkill *ret);

struct oomline_summary {
    char constraint[32]; /* "CONSTRAINT_MEMCG" */
    uint64_t pid, uid;
    char name[OOMKILL_NAME_MAX], task_cgroup[OOMKILL_PATH_MAX], limit_cgroup[OOMKILL_PATH_MAX]; /* "" if missing */
};

/* "oom-kill:constraint=…,oom_memcg=/a,task_memcg=/a/b,task=java,pid=4711,uid=0", since Linux 5.0. k: what is known
 * of the kill so far: a name may contain the separators, and is compared with it. */
bool oomline_summary(const char *text, const struct oomkill *k, struct oomline_summary *ret);

/* For a log that a tool has saved, where a line may be wrapped or in pieces: */

/* Whether the text is the beginning of a line about a kill, with its rest on the next line. */
bool oomline_is_begun(const char *text);

/* Whether it is a piece that the kernel added to its line (pr_cont), as a separate line. */
bool oomline_is_piece(const char *text);

/* Whether it has the end of such a line: what follows is another line. */
bool oomline_has_end(const char *text);
