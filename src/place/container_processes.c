/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over /proc, then a search by the container's id.
 */
#include "place/container_processes.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/text.h"
#include "linux/proc.h"
#include "place/container.h"

void container_processes_done(struct container_processes *c)
{
    free(c->item);
    *c = (struct container_processes){0};
}

static struct container_process *find(struct container_processes *c, const struct container_process *one)
{
    for (size_t i = 0; i < c->count; i++)
        if (text_eq(c->item[i].container, one->container) && text_eq(c->item[i].pod, one->pod))
            return &c->item[i];
    return NULL;
}

/* Processes that were not looked at because they have ended are none of ours. */
static int add_process(const char *root, pid_t pid, struct container_processes *c)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    struct container_process one = {.pid = pid}, *known;
    int r;

    if (proc_open(root, pid, &p) < 0 || !container_pod(p.fd, one.pod) || !container_of_cgroup(p.fd, one.container) ||
        proc_start_ticks(&p, &one.start_ticks) < 0)
        return 0;
    if ((known = find(c, &one))) {
        if (one.start_ticks < known->start_ticks)
            *known = one;
        return 0;
    }
    if ((r = array_reserve(&c->item, c->count + 1, &c->capacity, sizeof(*c->item), CONTAINER_PROCESSES_MAX)) < 0)
        return r;
    c->item[c->count++] = one;
    return 0;
}

int container_processes_read(const char *proc, struct container_processes *ret)
{
    CLEANUP(container_processes_done) struct container_processes c = {0};
    CLEANUP_DIR DIR *dir = file_opendir(AT_FDCWD, proc);
    uint64_t pid;
    int r = 0;

    assert(proc && ret);
    if (!dir)
        return -errno;
    for (struct dirent *d; r == 0 && (d = readdir(dir));)
        if (text_parse_uint(d->d_name, INT_MAX, &pid) == 0)
            r = add_process(proc, (pid_t)pid, &c);
    if (r < 0)
        return r;
    *ret = c;
    c = (struct container_processes){0};
    return 0;
}

int container_processes_find(const struct container_processes *c, const char *container, const char *pod_uid,
                             pid_t *ret)
{
    for (size_t i = 0; i < c->count; i++)
        if (text_eq(c->item[i].container, container) && text_eq(c->item[i].pod, pod_uid)) {
            *ret = c->item[i].pid;
            return 0;
        }
    return -ESRCH;
}
