/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders by the JVM's options; room by statfs(2) and the memory cgroup.
 */
#include "hotspot/heapdump_place.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/statfs.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "hotspot/heapdump.h"
#include "linux/memcg.h"

enum { CLASSES = 8 * 1024 * 1024 }; /* bytes of a dump for names and classes, not objects */

uint64_t heapdump_estimate(uint64_t in_use)
{
    return in_use < UINT64_MAX / 2 ? in_use / 4 * 7 + CLASSES : in_use;
}

void heapdump_folders_done(struct heapdump_folders *f)
{
    for (unsigned i = 0; i < f->count; i++)
        free(f->path[i]);
}

static int add_folder(struct heapdump_folders *f, const char *path)
{
    if (!(f->path[f->count] = strdup(path)))
        return -ENOMEM;
    f->count++;
    return 0;
}

/* HeapDumpPath is a folder, or a file in a folder. */
static int add_heap_dump_path(const struct jvm *j, struct heapdump_folders *f)
{
    const char *path = j->options.heap_dump_path;
    CLEANUP_FD int fd = path && *path ? proc_openat(&j->proc, path, O_PATH | O_DIRECTORY, 0) : -1;
    CLEANUP_FREE char *copy = path && *path ? strdup(path) : NULL;

    if (!path || !*path)
        return 0;
    return !copy ? -ENOMEM : add_folder(f, fd >= 0 ? copy : dirname(copy));
}

int heapdump_folders_find(const struct jvm *j, const char *wanted, struct heapdump_folders *ret)
{
    int r;

    if (wanted)
        return add_folder(ret, wanted);
    if ((r = add_heap_dump_path(j, ret)) < 0 || (r = add_folder(ret, ".")) < 0)
        return r;
    return add_folder(ret, "/tmp");
}

/* Bytes that the JVM can write there. Files of a tmpfs are charged to the cgroup that writes them: beyond its limit the
 * kernel would kill the JVM. */
static uint64_t room_in(const struct jvm *j, int folder)
{
    CLEANUP(memcg_done) struct memcg cgroup = MEMCG_NONE;
    struct memcg_sample memory;
    struct statfs fs;
    uint64_t room;

    /* A tmpfs without a limit reports no blocks. */
    if (fstatfs(folder, &fs) < 0)
        return UINT64_MAX;
    room =
        fs.f_blocks > 0 ? (uint64_t)fs.f_bavail * (uint64_t)(fs.f_frsize > 0 ? fs.f_frsize : fs.f_bsize) : UINT64_MAX;
    if (fs.f_type == TMPFS_MAGIC && memcg_open(&j->proc, &cgroup, NULL) == 0 &&
        memcg_sample(&cgroup, clock_mono_ms(), &memory) == 0 && memory.room < room)
        room = memory.room;
    return room;
}

static uint64_t room_needed(const struct jvm *j, uint64_t in_use)
{
    uint64_t dump = heapdump_estimate(in_use);

    return jvm_feature(j) < HEAPDUMP_SEGMENTING_JDK ? dump : dump < UINT64_MAX / 2 ? dump * 2 : UINT64_MAX;
}

int heapdump_check_room(const struct jvm *j, uint64_t in_use, const char *path, int folder, struct err *e)
{
    char heap[TEXT_SIZE_MAX], need[TEXT_SIZE_MAX], have[TEXT_SIZE_MAX];
    uint64_t room = room_in(j, folder), needed = room_needed(j, in_use);

    assert(folder >= 0);
    if (in_use == 0 || room >= needed)
        return 0;
    return err_set(e, -ENOSPC,
                   "no room for a heap dump of JVM %d: %s of its heap are in use, so up to %s are needed, but %s has "
                   "only %s. Give another folder, or --force",
                   (int)j->proc.pid, text_format_size(in_use, heap), text_format_size(needed, need),
                   text_eq(path, ".") ? "its working folder" : path, text_format_size(room, have));
}
