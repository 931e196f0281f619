/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes to another user's identity for good: for a child that root has just forked.
 */
#pragma once

#include <sys/types.h>

/* User and group, without any supplementary group. 0, or -errno: then the identity may have changed in part. */
int become_user(uid_t uid, gid_t gid);
