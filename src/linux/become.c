/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups first: the right to change them is lost with the user id.
 */
#include "linux/become.h"

#include <errno.h>
#include <grp.h>
#include <unistd.h>

int become_user(uid_t uid, gid_t gid)
{
    return setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 ? -errno : 0;
}
