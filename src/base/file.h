/* SPDX-License-Identifier: Apache-2.0
 *
 * Files whole: reading and writing that finish what they began, and replacing a small file so that a reader sees
 * the old or the new one. Everything is relative to a folder's descriptor and O_CLOEXEC. Returns -errno.
 */
#pragma once

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;

/* Up to size bytes, fewer only at the end of the file. */
ssize_t file_read(int fd, void *data, size_t size);
ssize_t file_pread(int fd, void *data, size_t size, uint64_t offset);
int file_write(int fd, const void *data, size_t size);

/* The whole of a small file, appended to ret; -EMSGSIZE beyond ret's ceiling. file_load: -EINVAL for what is no regular
 * file, and never waits for one. */
int file_load(int dirfd, const char *path, struct buf *ret);
int file_load_fd(int fd, struct buf *ret);

/* Temporary name, fsync, rename, fsync of the folder. */
int file_replace(int dirfd, const char *path, const void *data, size_t size, mode_t mode);

/* The same, with a lock on it (flock(2)) before it has its name; its descriptor, or -errno. */
int file_replace_locked(int dirfd, const char *path, const void *data, size_t size, mode_t mode);

/* Makes path and its parents; those that are there are left alone. The parents of new folders are fsynced. */
int file_mkdirs(int dirfd, const char *path, mode_t mode);

int file_fsync_dir(int dirfd, const char *path);

/* Opens a folder for reading its names, whatever a link there may say; NULL, and errno says why. */
DIR *file_opendir(int dirfd, const char *path);

/* Removes a folder and what is in it; never follows links. -ENOENT counts as done. */
int file_remove_tree(int dirfd, const char *path);
