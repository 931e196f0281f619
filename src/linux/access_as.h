/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether another process may create files in a folder: a child process takes that process's identity (user, groups,
 * capabilities) and asks the kernel, in its root and on its mounts. This process never changes its identity. Creates
 * nothing.
 */
#pragma once

#include "linux/proc.h"

/* folder: absolute, as the process sees it. 0 if it may; -ENOENT, -ENOTDIR, -EACCES (also of a parent folder), -EROFS;
 * or another error of the check. Without the right to take its identity, ours is used. */
int access_as_may_write(const struct proc *p, const char *folder);
