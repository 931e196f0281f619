/* SPDX-License-Identifier: Apache-2.0
 *
 * What a path means is seen before it is opened for reading: opening a device may do something.
 */
#include "cmd/inspect_files.h"

#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "linux/open_beneath.h"

enum { FILES_MAX = 2048 };
#define SIZE_MAX_BYTES (4ll << 30) /* of a file */

int inspect_files_open(struct inspect_files *f, const char *root, struct err *e)
{
    assert(f && root);
    *f = (struct inspect_files){.root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return f->root < 0 ? err_set(e, -FAULT_USAGE, "--sysroot %s: %s", root, strerror(errno)) : 0;
}

void inspect_files_close(struct inspect_files *f)
{
    mem_close_ptr(&f->root);
    f->root = -1;
}

static int check(int fd)
{
    char magic[SELFMAG];

    return pread(fd, magic, sizeof(magic), 0) == SELFMAG && memcmp(magic, ELFMAG, SELFMAG) == 0 ? 0 : -ENOEXEC;
}

int inspect_files_hand_out(struct inspect_files *f, const char *path)
{
    CLEANUP_FD int named = -1;
    CLEANUP_FD int fd = -1;
    char again[40];
    struct stat st;
    int r;

    assert(f && path);
    if (f->root < 0 || f->handed >= FILES_MAX || path[0] != '/')
        return -ENOENT;
    if ((named = open_beneath(f->root, path, O_PATH | O_CLOEXEC, 0)) < 0)
        return named;
    if (fstat(named, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > SIZE_MAX_BYTES)
        return -EINVAL;
    snprintf(again, sizeof(again), "/proc/self/fd/%d", named);
    if ((fd = open(again, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
        return -errno;
    if ((r = check(fd)) < 0)
        return r;
    f->handed++;
    return TAKE_FD(fd);
}
