/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and writing completely, and replacing a small file atomically. Paths are relative to a folder's descriptor;
 * descriptors are O_CLOEXEC. Functions return -errno.
 */
#pragma once

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;

/* Reads up to size bytes, fewer only at the end of the file. */
ssize_t file_read(int fd, void *data, size_t size);
ssize_t file_pread(int fd, void *data, size_t size, uint64_t offset);
int file_write(int fd, const void *data, size_t size);

/* Appends a whole small file to ret; -EMSGSIZE beyond ret's ceiling. file_load: -EINVAL if it is not a regular file;
 * never blocks on a FIFO. */
int file_load(int dirfd, const char *path, struct buf *ret);
int file_load_fd(int fd, struct buf *ret);

/* Temporary name, fsync, rename, fsync of the folder. */
int file_replace(int dirfd, const char *path, const void *data, size_t size, mode_t mode);

/* The same; the new file is locked (flock(2)) before the rename. Its descriptor, or -errno. */
int file_replace_locked(int dirfd, const char *path, const void *data, size_t size, mode_t mode);

/* Renames, and never replaces: -EEXIST. Where the file system can't do that in one step (NFS, some of FUSE), by a link.
 */
int file_rename_new(int from_dirfd, const char *from, int to_dirfd, const char *to);

/* Makes path and its missing parents; existing folders are not changed. The parents of new folders are fsynced. */
int file_mkdirs(int dirfd, const char *path, mode_t mode);

/* Makes the names in a folder durable. Success also where the file system has no fsync for folders (EINVAL, of some
 * network and FUSE file systems): nothing more can be done. */
int file_fsync_folder(int fd);

/* Opens a folder to list it; never follows a link at the end of path. NULL with errno. */
DIR *file_opendir(int dirfd, const char *path);

/* Removes a folder and its content; never follows links. 0 also if it does not exist. */
int file_remove_tree(int dirfd, const char *path);
