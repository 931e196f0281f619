/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder in /dev/shm could have been made by another user: it must be ours.
 */
#include "node/run_folder.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"

char *run_folder_path(const char *state)
{
    char *path = NULL;
    int r = state ? asprintf(&path, "%s/run", state) : asprintf(&path, "/dev/shm/salvage-node-%u", (unsigned)geteuid());

    return r < 0 ? NULL : path;
}

int run_folder_make(const char *path, struct err *e)
{
    struct stat st;
    int r;

    assert(path);
    if ((r = file_mkdirs(AT_FDCWD, path, 0700)) == 0 && lstat(path, &st) < 0)
        r = -errno;
    if (r == 0 && (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022)))
        return err_set(e, -FAULT_STATE, "%s: others could write to it", path);
    return r < 0 ? err_set(e, -FAULT_STATE, "%s: cannot be made: %s", path, strerror(-r)) : 0;
}
