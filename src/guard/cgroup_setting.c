/* SPDX-License-Identifier: Apache-2.0
 *
 * A cgroup's folder is identified by device and inode, a cgroup file system by its magic number (statfs(2)).
 */
#include "guard/cgroup_setting.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "linux/cgroup.h"

enum { TEXT_MAX = 256, UP_MAX = 3 * MEMCG_LEVELS_MAX + 4 };

static int identify(int folder, uint64_t *ret_device, uint64_t *ret_inode)
{
    struct statfs fs;
    struct stat st;

    if (fstatfs(folder, &fs) < 0 || fstat(folder, &st) < 0)
        return -errno;
    if (fs.f_type != CGROUP_SUPER_MAGIC && fs.f_type != CGROUP2_SUPER_MAGIC)
        return -EXDEV;
    *ret_device = st.st_dev;
    *ret_inode = st.st_ino;
    return 0;
}

int setting_open(const struct limit_override_setting *s)
{
    CLEANUP_FD int folder = open(s->cgroup, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    uint64_t device = 0, inode = 0;
    int r;

    if (folder < 0)
        return -errno;
    if ((r = identify(folder, &device, &inode)) < 0)
        return r;
    return device == s->device && inode == s->inode ? TAKE_FD(folder) : -ENOENT;
}

int setting_of_level(const struct memcg *m, unsigned level, struct limit_override_setting *ret)
{
    struct limit_override_setting s = {0};
    char up[UP_MAX] = ".", link[32];
    CLEANUP_FD int folder = -1;
    ssize_t size;
    int r;

    for (unsigned i = 0; i < level && i < MEMCG_LEVELS_MAX; i++)
        memcpy(up + 3UL * i, "../", 4);
    if ((folder = openat(m->fd, up, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
        return errno == ENOENT ? -ENODEV : -errno;
    if ((r = identify(folder, &s.device, &s.inode)) < 0)
        return r;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", folder);
    if ((size = readlink(link, s.cgroup, sizeof(s.cgroup) - 1)) < 0)
        return -errno;
    s.cgroup[size] = '\0';
    CLEANUP_FD int again = setting_open(&s);
    if (again < 0)
        return -EXDEV;
    *ret = s;
    return TAKE_FD(folder);
}

static int read_text(int folder, const char *name, char out[TEXT_MAX])
{
    CLEANUP_FD int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd < 0 ? -errno : file_pread(fd, out, TEXT_MAX - 1, 0);

    if (n < 0)
        return (int)n;
    out[n] = '\0';
    return 0;
}

int setting_read(int folder, enum limit_override_file file, char ret[LIMIT_OVERRIDE_VALUE_MAX])
{
    char text[TEXT_MAX];
    int r = read_text(folder, limit_override_file_name(file), text);

    return r < 0 ? r : limit_override_value(file, text, ret);
}

int setting_write(int folder, enum limit_override_file file, const char *value)
{
    CLEANUP_FD int fd = openat(folder, limit_override_file_name(file), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

    return fd < 0 ? -errno : file_write(fd, value, strlen(value));
}

int setting_usage(int folder, enum limit_override_file file, uint64_t *ret)
{
    static const char *const names[LIMIT_OVERRIDE_FILES] = {
        [LIMIT_OVERRIDE_V1_BOTH] = "memory.memsw.usage_in_bytes",
        [LIMIT_OVERRIDE_V1_LIMIT] = "memory.usage_in_bytes",
        [LIMIT_OVERRIDE_V1_OOM] = "memory.usage_in_bytes",
        [LIMIT_OVERRIDE_V2_MAX] = "memory.current",
        [LIMIT_OVERRIDE_V2_HIGH] = "memory.current",
    };
    char text[TEXT_MAX];
    int r = read_text(folder, names[file], text);

    return r < 0 ? r : cgroup_bytes(text, ret);
}
