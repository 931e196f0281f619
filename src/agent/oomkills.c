/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel counts a kill where the victim is, and the application is where we are. It counts before it kills: whoever
 * has seen the death finds it counted.
 */
#include "agent/oomkills.h"

#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "format/cgroup.h"

enum { MOUNTINFO_MAX = 1 << 20, COUNTERS_MAX = 4096 };

int oomkills_open(const char *root)
{
    CLEANUP_FD int rootfd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(buf_done) struct buf cgroup = {.ceiling = MOUNTINFO_MAX}, mountinfo = {.ceiling = MOUNTINFO_MAX};
    CLEANUP(cgroup_place_done) struct cgroup_place place = {0};
    int r, fd;

    if (rootfd < 0)
        return -errno;
    if ((r = file_load(rootfd, "proc/self/cgroup", &cgroup)) < 0 ||
        (r = file_load(rootfd, "proc/self/mountinfo", &mountinfo)) < 0 ||
        (r = cgroup_place(buf_text(&cgroup), buf_text(&mountinfo), &place)) < 0)
        return r;
    fd = openat(rootfd, place.path + 1, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int oomkills_read(int fd, uint64_t *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = COUNTERS_MAX};
    int r = fd < 0 ? -ENOENT : file_load(fd, "memory.events", &text);

    if (r == -ENOENT && fd >= 0)
        r = file_load(fd, "memory.oom_control", &text);
    return r < 0 ? r : cgroup_oom_kills(buf_text(&text), ret);
}
