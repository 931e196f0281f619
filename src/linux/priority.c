/* SPDX-License-Identifier: Apache-2.0
 *
 * A policy is a thread's, and a new thread or process has that of the one that starts it. The way back from SCHED_IDLE
 * is allowed only where the nice value could be lowered to what it is (kernel/sched/syscalls.c,
 * user_check_sched_setscheduler).
 */
#include "linux/priority.h"

#include <dirent.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/text.h"
#include "linux/capability.h"

DEFINE_CLEANUP(DIR *, closedir)

static bool set_policy(pid_t id, int policy)
{
    return sched_setscheduler(id, policy, &(struct sched_param){0}) == 0;
}

/* The limit is 20 less the nice value (getrlimit(2)). */
static bool may_return(void)
{
    struct rlimit limit;

    return capability_has(CAP_SYS_NICE) ||
           (getrlimit(RLIMIT_NICE, &limit) == 0 && (long)limit.rlim_cur >= 20 - getpriority(PRIO_PROCESS, 0));
}

bool priority_idle(void)
{
    return may_return() && sched_getscheduler(0) == SCHED_OTHER && set_policy(0, SCHED_IDLE);
}

void priority_usual_all(void)
{
    CLEANUP(closedir_ptr) DIR *tasks = opendir("/proc/self/task");
    const struct dirent *task;
    uint64_t id;

    set_policy(0, SCHED_OTHER); /* at least the caller's */
    while (tasks && (task = readdir(tasks)))
        if (text_parse_uint(task->d_name, INT32_MAX, &id) == 0)
            priority_usual_process((pid_t)id);
}

void priority_usual_process(pid_t pid)
{
    set_policy(pid, SCHED_OTHER);
}
