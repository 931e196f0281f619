/* SPDX-License-Identifier: Apache-2.0
 *
 * From its cgroup, else from the files that the runtime mounts into it.
 */
#include "place/container.h"

#include "base/buf.h"
#include "base/mem.h"
#include "linux/proc_cgroup.h"

bool container_of_cgroup(int proc, char ret[CONTAINERID_MAX])
{
    CLEANUP(buf_done) struct buf cgroup = {0};

    return proc_cgroup(proc, &cgroup) == 0 && containerid_from_cgroup(buf_text(&cgroup), cgroup.size, ret);
}

bool container_of_process(int proc, char ret[CONTAINERID_MAX])
{
    CLEANUP(buf_done) struct buf mounts = {0};

    return container_of_cgroup(proc, ret) ||
           (proc_mountinfo(proc, &mounts) == 0 && containerid_from_mountinfo(buf_text(&mounts), mounts.size, ret));
}

bool container_pod(int proc, char ret[PODUID_MAX])
{
    CLEANUP(buf_done) struct buf cgroup = {0};

    return proc_cgroup(proc, &cgroup) == 0 && containerid_pod_from_cgroup(buf_text(&cgroup), cgroup.size, ret);
}

bool container_kubelet_name(int proc, char ret[CONTAINERNAME_MAX])
{
    CLEANUP(buf_done) struct buf mounts = {0};
    char pod[PODUID_MAX];

    return container_pod(proc, pod) && proc_mountinfo(proc, &mounts) == 0 &&
           containerid_name_from_mountinfo(buf_text(&mounts), mounts.size, pod, ret);
}
