/* SPDX-License-Identifier: Apache-2.0
 *
 * By its cgroup, else by what was mounted into it.
 */
#include "place/container.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

enum { CGROUP_MAX = 64 * 1024, MOUNTS_MAX = 1024 * 1024 };

bool container_of_process(int proc, char ret[CONTAINERID_MAX])
{
    CLEANUP(buf_done) struct buf cgroup = {.ceiling = CGROUP_MAX}, mounts = {.ceiling = MOUNTS_MAX};

    file_load(proc, "cgroup", &cgroup); /* unreadable is empty */
    if (containerid_from_cgroup(buf_text(&cgroup), cgroup.size, ret))
        return true;
    file_load(proc, "mountinfo", &mounts);
    return containerid_from_mountinfo(buf_text(&mounts), mounts.size, ret);
}
