/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernel names: Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst.
 */
#include "linux/memcg_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

enum { SMALL_MAX = 64 };

const struct memcg_names MEMCG_V1 = {"memory.usage_in_bytes",
                                     "memory.limit_in_bytes",
                                     "memory.oom_control",
                                     "total_inactive_file",
                                     "total_active_file",
                                     "total_dirty",
                                     "total_writeback",
                                     NULL,
                                     "total_shmem"};
const struct memcg_names MEMCG_V2 = {"memory.current", "memory.max",       "memory.events",
                                     "inactive_file",  "active_file",      "file_dirty",
                                     "file_writeback", "slab_reclaimable", "shmem"};

const struct memcg_names *memcg_names(const struct memcg *m)
{
    return m->v2 ? &MEMCG_V2 : &MEMCG_V1;
}

const char *memcg_path_above(unsigned levels, const char *name, char out[MEMCG_PATH_MAX])
{
    char *at = out;

    for (unsigned i = 0; i < levels; i++, at += 3)
        memcpy(at, "../", 4);
    snprintf(at, MEMCG_PATH_MAX - (size_t)(at - out), "%s", name);
    return out;
}

int memcg_openat(const struct memcg *m, unsigned level, const char *name)
{
    char path[MEMCG_PATH_MAX];
    int fd = openat(m->fd, memcg_path_above(level, name, path), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

int memcg_read_text(int fd, char *out, size_t size)
{
    ssize_t n = fd < 0 ? fd : file_pread(fd, out, size - 1, 0);

    if (n < 0)
        return (int)n;
    out[n] = '\0';
    return 0;
}

int memcg_read_bytes(int fd, uint64_t *ret)
{
    char text[SMALL_MAX];
    int r = memcg_read_text(fd, text, sizeof(text));

    return r < 0 ? r : cgroup_bytes(text, ret);
}

int memcg_read_bytes_at(const struct memcg *m, unsigned level, const char *name, uint64_t *ret)
{
    CLEANUP_FD int fd = memcg_openat(m, level, name);

    return memcg_read_bytes(fd, ret);
}

int memcg_error(int r)
{
    return r == -ENOENT ? -ENODEV : r;
}

bool memcg_has(int folder, const char *name)
{
    return faccessat(folder, name, F_OK, 0) == 0;
}
