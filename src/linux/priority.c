/* SPDX-License-Identifier: Apache-2.0
 *
 * setpriority(2) with PRIO_PROCESS means one thread.
 */
#include "linux/priority.h"

#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/text.h"

DEFINE_CLEANUP(DIR *, closedir)

int priority_get(void)
{
    return getpriority(PRIO_PROCESS, 0);
}

void priority_set(int nice)
{
    priority_set_process(0, nice);
}

void priority_set_all(int nice)
{
    CLEANUP(closedir_ptr) DIR *tasks = opendir("/proc/self/task");
    const struct dirent *task;
    uint64_t id;

    while (tasks && (task = readdir(tasks)))
        if (text_parse_uint(task->d_name, INT32_MAX, &id) == 0)
            priority_set_process((pid_t)id, nice);
}

void priority_set_process(pid_t pid, int nice)
{
    (void)setpriority(PRIO_PROCESS, (id_t)pid, nice);
}
