/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder of uploads, and what they share.
 */
#include "serve/uploads.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "linux/memcg.h"
#include "serve/request.h"
#include "serve/state_folder.h"
#include "serve/upload_sweep.h"

enum { FOLDER_MODE = 0700, WRITERS = 2, DIRECT_PART = 8 /* of our memory */ };
static const char FOLDER_NAME[] = "uploads";

struct uploads {
    struct upload_config config;
    int root_fd; /* borrowed */
    struct upload_room *room;
    struct upload_slots *slots;
    struct disk_writers *writers;
    uint64_t direct_min;
    struct upload_sweeper *sweep;
};

DEFINE_CLEANUP(struct uploads *, uploads_close)

/* Bytes: the machine's, or our cgroup's limit. */
static uint64_t our_memory(void)
{
    CLEANUP(memcg_done) struct memcg cgroup = MEMCG_NONE;
    CLEANUP(proc_done) struct proc self = PROC_NONE;
    uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    struct memcg_sample ignored;

    if (proc_open("/proc", getpid(), &self) < 0 || memcg_open(&self, &cgroup, NULL) < 0 ||
        memcg_sample(&cgroup, clock_mono_ms(), &ignored) < 0 || memcg_limit(&cgroup) > all)
        return all;
    return memcg_limit(&cgroup);
}

int uploads_open(const struct upload_config *config, int root_fd, struct uploads **ret, struct err *e)
{
    CLEANUP(uploads_close_ptr) struct uploads *u = calloc(1, sizeof(*u));
    int r;

    assert(config && root_fd >= 0 && ret);
    if (!u)
        return err_set(e, -ENOMEM, "out of memory");
    u->config = *config;
    u->root_fd = root_fd;
    u->direct_min = our_memory() / DIRECT_PART;
    u->config.room.waiting = upload_sweep_waiting;
    u->config.room.ctx = u;
    u->room = upload_room_new(&u->config.room, root_fd);
    u->slots = upload_slots_new();
    u->writers = disk_writers_new(WRITERS);
    if (!u->room || !u->slots || !u->writers)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = upload_sweep_start(u, &u->sweep, e)) < 0)
        return r;
    *ret = TAKE_PTR(u);
    return 0;
}

void uploads_close(struct uploads *u)
{
    if (!u)
        return;
    upload_sweep_stop(u->sweep);
    disk_writers_free(u->writers);
    upload_slots_free(u->slots);
    upload_room_free(u->room);
    free(u);
}

const struct upload_config *uploads_config(const struct uploads *u)
{
    return &u->config;
}

struct upload_room *uploads_room(const struct uploads *u)
{
    return u->room;
}

struct upload_slots *uploads_slots(const struct uploads *u)
{
    return u->slots;
}

struct disk_writers *uploads_writers(const struct uploads *u)
{
    return u->writers;
}

uint64_t uploads_direct_min(const struct uploads *u)
{
    return u->direct_min;
}

int uploads_root(const struct uploads *u)
{
    return u->root_fd;
}

static int check_ours(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    return st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) ? -EPERM : 0;
}

/* Others who could write to it could put their bytes under our names. */
static int open_ours(int dirfd, const char *name)
{
    CLEANUP_FD int fd = -1;
    int r;
    bool made = mkdirat(dirfd, name, FOLDER_MODE) == 0;

    if (!made && errno != EEXIST)
        return -errno;
    if (made && file_fsync_folder(dirfd) < 0)
        return -EIO;
    fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return (r = check_ours(fd)) < 0 ? r : TAKE_FD(fd);
}

int uploads_folder_there(const struct uploads *u)
{
    CLEANUP_FD int state = openat(u->root_fd, REQUEST_STATE_FOLDER, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    CLEANUP_FD int fd = -1;
    int r;

    if (state < 0)
        return -errno;
    fd = openat(state, FOLDER_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return (r = check_ours(fd)) < 0 ? r : TAKE_FD(fd);
}

int uploads_folder(struct uploads *u, struct err *e)
{
    CLEANUP_FD int state = state_folder_open(u->root_fd, e);
    int fd = state < 0 ? state : open_ours(state, FOLDER_NAME);

    if (state < 0 || fd >= 0)
        return fd;
    if (fd == -ENOSPC || fd == -EDQUOT)
        return err_set(e, -FAULT_FULL, "no room left on the disk for an upload: delete old cases");
    return err_set(e, -FAULT_STATE, "uploads have no place: .salvage/uploads in the store's folder: %s",
                   fd == -EPERM ? "it is not ours alone" : strerror(-fd));
}

void uploads_removed(struct uploads *u, const char *key)
{
    const char *slash = strchr(key, '/');
    CLEANUP_FREE char *namespace = strndup(key, slash ? (size_t)(slash - key) : 0);

    upload_room_forget(u->room, namespace ? namespace : "*");
}
