/* SPDX-License-Identifier: Apache-2.0
 *
 * The identity of another user, taken for good: for a child that was just forked by root.
 */
#pragma once

#include <sys/types.h>

/* User and group, without any supplementary group. 0 or -errno: the identity may have changed in part then. */
int become_user(uid_t uid, gid_t gid);
