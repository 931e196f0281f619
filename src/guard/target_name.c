/* SPDX-License-Identifier: Apache-2.0
 *
 * From the environment of the process, or the mounts of its container.
 */
#include "guard/target_name.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "place/container.h"
#include "place/containerid.h"

enum { PART_MAX = 253 };

bool target_name_of(const struct proc *p, const struct whoami *who, const char *container_id, char ret[TARGET_NAME_MAX])
{
    char name[CONTAINERNAME_MAX], short_id[13];
    const char *container = who->container;

    if (!who->pod)
        return false;
    snprintf(short_id, sizeof(short_id), "%.12s", container_id);
    if (p->fd >= 0 && container_kubelet_name(p->fd, name))
        container = name;
    else if (!container)
        container = short_id;
    snprintf(ret, TARGET_NAME_MAX, "%.63s%s%.*s%s%.63s", who->namespace ? who->namespace : "",
             who->namespace ? "/" : "", PART_MAX, who->pod, *container ? "/" : "", container);
    return true;
}

bool target_name_of_pid(pid_t pid, char ret[TARGET_NAME_MAX])
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    CLEANUP(whoami_done) struct whoami who = {0};
    char id[CONTAINERID_MAX];

    return proc_open("/proc", pid, &p) == 0 && container_of_process(p.fd, id) && whoami_of_process(&p, &who) == 0 &&
           target_name_of(&p, &who, id, ret);
}
