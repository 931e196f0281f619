/* SPDX-License-Identifier: Apache-2.0
 *
 * From the environment of the process, or the mounts of its container.
 */
#include "guard/guardname.h"

#include <stdio.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "place/container.h"
#include "place/containerid.h"

enum { CGROUP_MAX = 64 * 1024, MOUNTS_MAX = 1024 * 1024, PART_MAX = 253 };

/* As the kubelet calls it. */
static bool mounted_name(const struct proc *p, char ret[CONTAINERNAME_MAX])
{
    CLEANUP(buf_done) struct buf cgroup = {.ceiling = CGROUP_MAX}, mounts = {.ceiling = MOUNTS_MAX};
    char pod[PODUID_MAX];

    return p->fd >= 0 && file_load(p->fd, "cgroup", &cgroup) == 0 &&
           containerid_pod_from_cgroup(cgroup.data, cgroup.size, pod) && file_load(p->fd, "mountinfo", &mounts) == 0 &&
           containerid_name_from_mountinfo(buf_text(&mounts), mounts.size, pod, ret);
}

bool guardname_of(const struct proc *p, const struct whoami *who, const char *container_id, char ret[GUARDNAME_MAX])
{
    char name[CONTAINERNAME_MAX], short_id[13];
    const char *container = who->container;

    if (!who->pod)
        return false;
    snprintf(short_id, sizeof(short_id), "%.12s", container_id);
    if (mounted_name(p, name))
        container = name;
    else if (!container)
        container = short_id;
    snprintf(ret, GUARDNAME_MAX, "%.63s%s%.*s%s%.63s", who->namespace ? who->namespace : "", who->namespace ? "/" : "",
             PART_MAX, who->pod, *container ? "/" : "", container);
    return true;
}

bool guardname_of_pid(pid_t pid, char ret[GUARDNAME_MAX])
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    CLEANUP(whoami_done) struct whoami who = {0};
    char id[CONTAINERID_MAX];

    return proc_open("/proc", pid, &p) == 0 && container_of_process(p.fd, id) && whoami_of(&p, &who) == 0 &&
           guardname_of(&p, &who, id, ret);
}
