/* SPDX-License-Identifier: Apache-2.0
 *
 * From /proc/PID/cgroup. The cgroup is read again when a name is looked up: by then the process may have ended, and its
 * pid may have been reused.
 */
#include "place/container_names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/proc.h"
#include "linux/proc_cgroup.h"
#include "place/containerid.h"

enum { CONTAINER_NAMES_MAX = 65536 };

struct container_process {
    pid_t pid;
    char container_id[CONTAINERID_MAX], pod_uid[PODUID_MAX];
};

/* Whether it is in a container or a pod. */
static bool read_ids(const struct proc *p, struct container_process *ret)
{
    CLEANUP(buf_done) struct buf cgroup = {0};
    bool found;

    *ret = (struct container_process){.pid = p->pid};
    if (proc_cgroup(p->fd, &cgroup) < 0)
        return false;
    found = containerid_from_cgroup(buf_text(&cgroup), cgroup.size, ret->container_id);
    return containerid_pod_from_cgroup(buf_text(&cgroup), cgroup.size, ret->pod_uid) || found;
}

static int add_process(const char *root, pid_t pid, struct container_names *t, size_t *capacity)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    struct container_process found;
    int r;

    if (proc_open(root, pid, &p) < 0 || !read_ids(&p, &found) || t->count == CONTAINER_NAMES_MAX)
        return 0;
    if ((r = array_reserve(&t->item, t->count + 1, capacity, sizeof(*t->item), CONTAINER_NAMES_MAX)) < 0)
        return r;
    t->item[t->count++] = found;
    return 0;
}

int container_names_scan(const char *root, struct container_names *ret)
{
    CLEANUP(container_names_done) struct container_names t = {0};
    CLEANUP_DIR DIR *dir = file_opendir(AT_FDCWD, root);
    size_t capacity = 0;

    if (!dir)
        return -ENOSYS;
    for (const struct dirent *d; (d = readdir(dir));) {
        uint64_t pid;

        if (text_parse_uint(d->d_name, INT_MAX, &pid) == 0 && add_process(root, (pid_t)pid, &t, &capacity) < 0)
            return -ENOMEM;
    }
    *ret = t;
    t = (struct container_names){0};
    return 0;
}

void container_names_done(struct container_names *t)
{
    free(t->item);
    *t = (struct container_names){0};
}

static bool same(const char *a, const char *b)
{
    return *a && text_eq(a, b);
}

/* -ESRCH if it is in another container now, or has no pod name. */
static int ask(const char *root, const struct container_process *t, struct whoami *ret)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    CLEANUP(whoami_done) struct whoami w = {0};
    struct container_process now;
    int r = proc_open(root, t->pid, &p);

    if (r < 0 || !read_ids(&p, &now) || !text_eq(now.container_id, t->container_id) ||
        !text_eq(now.pod_uid, t->pod_uid))
        return -ESRCH;
    r = whoami_of_process(&p, &w);
    if (r == -ENOMEM)
        return r;
    if (r < 0 || !w.pod) /* the pause process doesn't have it, others may */
        return -ESRCH;
    *ret = w;
    w = (struct whoami){0};
    return 0;
}

int container_names_find(const struct container_names *t, const char *root, const char *container_id,
                         const char *pod_uid, struct whoami *ret)
{
    int r = -ESRCH;

    for (size_t i = 0; i < t->count && r == -ESRCH; i++)
        if (same(t->item[i].container_id, container_id))
            r = ask(root, &t->item[i], ret);
    for (size_t i = 0; i < t->count && r == -ESRCH; i++) {
        if (!same(t->item[i].pod_uid, pod_uid) || (r = ask(root, &t->item[i], ret)) < 0)
            continue;
        free(ret->container);
        ret->container = NULL;
    }
    return r;
}
