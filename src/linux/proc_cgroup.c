/* SPDX-License-Identifier: Apache-2.0
 *
 * Ceilings, because a container can have up to 100,000 mounts (fs.mount-max); mountinfo of a node with 500 pods is
 * about 1 MiB.
 */
#include "linux/proc_cgroup.h"

#include "base/file.h"
#include "base/mem.h"
#include "linux/cgroup.h"

enum { CGROUP_MAX = 64 * 1024, MOUNTINFO_MAX = 4 * 1024 * 1024 };

int proc_cgroup(int procfd, struct buf *ret)
{
    ret->ceiling = CGROUP_MAX;
    return file_load(procfd, "cgroup", ret);
}

char *proc_memory_cgroup(int procfd, bool *ret_v2)
{
    CLEANUP(buf_done) struct buf text = {0};

    return proc_cgroup(procfd, &text) < 0 ? NULL : cgroup_memory_path(buf_text(&text), ret_v2);
}

int proc_mountinfo(int procfd, struct buf *ret)
{
    ret->ceiling = MOUNTINFO_MAX;
    return file_load(procfd, "mountinfo", ret);
}

int proc_each_mount(int procfd, int (*fn)(void *ctx, const struct mount *m), void *ctx)
{
    CLEANUP(buf_done) struct buf text = {0};
    int r = proc_mountinfo(procfd, &text);

    return r < 0 ? r : mountinfo_each(buf_text(&text), text.size, fn, ctx);
}
