/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of v2 first: where both are mounted format/cgroup.h has chosen the folder already.
 */
#include "os/memcg.h"

#include <errno.h>
#include <fcntl.h>

#include "base/file.h"
#include "base/mem.h"
#include "format/cgroup.h"

enum { MOUNTINFO_MAX = 1 << 20, SMALL_MAX = 64, STAT_MAX = 64 * 1024 };

int memcg_open(const struct proc *p)
{
    CLEANUP(buf_done) struct buf cgroup = {.ceiling = MOUNTINFO_MAX}, mountinfo = {.ceiling = MOUNTINFO_MAX};
    CLEANUP(cgroup_place_done) struct cgroup_place place = {0};
    int r;

    if ((r = file_load(p->fd, "cgroup", &cgroup)) < 0 || (r = file_load(p->fd, "mountinfo", &mountinfo)) < 0 ||
        (r = cgroup_place(buf_text(&cgroup), buf_text(&mountinfo), &place)) < 0)
        return r;
    return proc_openat(p, place.path, O_PATH | O_DIRECTORY, 0);
}

static int read_bytes(int fd, const char *v2, const char *v1, uint64_t *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = SMALL_MAX};
    int r = file_load(fd, v2, &text);

    if (r == -ENOENT)
        r = file_load(fd, v1, &text);
    return r < 0 ? r : cgroup_bytes(buf_text(&text), ret);
}

/* Pages of files that nobody has touched for a while: the kernel drops them first. 0 if it doesn't say. */
static uint64_t droppable(int fd)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = STAT_MAX};
    uint64_t bytes = 0;

    if (file_load(fd, "memory.stat", &text) < 0 ||
        (cgroup_counter(buf_text(&text), "total_inactive_file", &bytes) < 0 && /* v1, groups below too */
         cgroup_counter(buf_text(&text), "inactive_file", &bytes) < 0))
        return 0;
    return bytes;
}

int memcg_room(int fd, uint64_t *ret_bytes)
{
    uint64_t limit, used, free_of_files;
    int r = read_bytes(fd, "memory.max", "memory.limit_in_bytes", &limit);

    if (r < 0 || (r = read_bytes(fd, "memory.current", "memory.usage_in_bytes", &used)) < 0)
        return r;
    free_of_files = droppable(fd);
    used -= free_of_files < used ? free_of_files : used;
    *ret_bytes = limit == UINT64_MAX ? UINT64_MAX : used < limit ? limit - used : 0;
    return 0;
}
