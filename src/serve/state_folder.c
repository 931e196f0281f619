/* SPDX-License-Identifier: Apache-2.0
 *
 * Our folder in a root.
 */
#include "serve/state_folder.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/request.h"

bool state_is_ours(const struct stat *st, bool secret)
{
    mode_t of_others = secret ? 007 : 002, of_group = secret ? 070 : 020;

    return st->st_uid == geteuid() && !(st->st_mode & of_others) &&
           (!(st->st_mode & of_group) || st->st_gid == getegid());
}

int state_folder_open(int root_fd, struct err *e)
{
    CLEANUP_FD int fd = -1;
    struct stat st;

    assert(root_fd >= 0);
    if (mkdirat(root_fd, REQUEST_STATE_FOLDER, 0700) < 0 && errno != EEXIST)
        return err_set(e, -FAULT_STATE, "the root's folder %s cannot be made: %s", REQUEST_STATE_FOLDER,
                       strerror(errno));
    fd = openat(root_fd, REQUEST_STATE_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(e, -FAULT_STATE, "the root's folder %s cannot be used: %s", REQUEST_STATE_FOLDER,
                       errno == ELOOP || errno == ENOTDIR ? "it is a link, or no folder" : strerror(errno));
    if (!state_is_ours(&st, false))
        return err_set(e, -FAULT_STATE,
                       "the root's folder %s is another user's, or others may write to it: remove it, or change owner "
                       "and mode",
                       REQUEST_STATE_FOLDER);
    return TAKE_FD(fd);
}
