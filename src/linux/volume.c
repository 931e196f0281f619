/* SPDX-License-Identifier: Apache-2.0
 *
 * By statfs(2) and /proc/self/mountinfo.
 */
#include "linux/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "base/mem.h"
#include "base/text.h"
#include "linux/proc.h"
#include "linux/proc_cgroup.h"

struct search {
    uint64_t id;
    bool own;
};

bool volume_is_own_mount(const char *root, const char *point, const char *type)
{
    return text_eq(root, "/") && !text_eq(point, "/") && !text_eq(type, "overlay");
}

static int find_mount(void *ctx, const struct mount *m)
{
    struct search *s = ctx;

    if (m->id != s->id)
        return 0;
    s->own = volume_is_own_mount(m->root, m->point, m->type);
    return 1;
}

static bool is_own_mount(int fd)
{
    CLEANUP_FD int self = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct search s = {0};

    return self >= 0 && proc_mount_id(fd, &s.id) == 0 && proc_each_mount(self, find_mount, &s) == 1 && s.own;
}

int volume_get(int fd, struct volume *ret)
{
    struct statfs s;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    while (fstatfs(fd, &s) < 0)
        if (errno != EINTR)
            return -errno;
    *ret = (struct volume){.dev = st.st_dev, .own = (uint32_t)s.f_type == TMPFS_MAGIC || is_own_mount(fd)};
    return 0;
}

int volume_space(int fd, uint64_t *ret_size, uint64_t *ret_free)
{
    struct statvfs s;

    while (fstatvfs(fd, &s) < 0)
        if (errno != EINTR)
            return -errno;
    if (__builtin_mul_overflow((uint64_t)s.f_blocks, (uint64_t)s.f_frsize, ret_size))
        *ret_size = UINT64_MAX;
    if (__builtin_mul_overflow((uint64_t)s.f_bavail, (uint64_t)s.f_frsize, ret_free))
        *ret_free = UINT64_MAX;
    return 0;
}

int volume_space_at(const char *folder, uint64_t *ret_size, uint64_t *ret_free)
{
    CLEANUP_FD int fd = open(folder, O_PATH | O_CLOEXEC);

    return fd < 0 ? -errno : volume_space(fd, ret_size, ret_free);
}
