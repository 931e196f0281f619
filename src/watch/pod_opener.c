/* SPDX-License-Identifier: Apache-2.0
 *
 * A container is found by the cgroup of its oldest process.
 */
#include "watch/pod_opener.h"

#include <assert.h>
#include <errno.h>

#include "base/mem.h"
#include "base/text.h"
#include "linux/proc.h"
#include "place/container.h"

void pod_opener_done(struct pod_opener *o)
{
    container_processes_done(&o->processes);
}

/* The process of a container, or -ENOENT. */
static int open_process(struct pod_opener *o, const struct claim_pod *pod, const char *id, struct proc *ret)
{
    char found[CONTAINERID_MAX], uid[PODUID_MAX];
    pid_t pid;
    int r = o->processes_read ? 0 : container_processes_read(o->proc, &o->processes);

    o->processes_read = true;
    if (r < 0)
        return r;
    if (container_processes_find(&o->processes, id, pod->uid, &pid) < 0 || proc_open(o->proc, pid, ret) < 0)
        return -ENOENT;
    /* By the descriptor again: the pid may be another process's by now. */
    if (container_pod(ret->fd, uid) && container_of_cgroup(ret->fd, found) && text_eq(uid, pod->uid) &&
        text_eq(found, id))
        return 0;
    proc_done(ret);
    return -ENOENT;
}

int pod_opener_open(struct pod_opener *o, const struct claim_pod *pod, const struct pod_folder_name *name,
                    const char *id, struct pod_folder **ret)
{
    CLEANUP(proc_done) struct proc proc = PROC_NONE;
    int r;

    assert(o->kubelet && o->proc && pod->uid && name && id);
    if (name->volume)
        return pod_folder_of_volume(o->kubelet, pod, name->name, name->path, ret);
    if ((r = open_process(o, pod, id, &proc)) < 0)
        return r;
    return pod_folder_of_process(&proc, pod, name->path, ret);
}
