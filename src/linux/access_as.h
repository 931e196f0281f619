/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether another process could make a file in a folder: asked of the kernel under that process's identity (user,
 * groups, capabilities), from its root and on its mounts, in a child: this process never changes its own. Makes
 * nothing.
 */
#pragma once

#include "linux/proc.h"

/* folder: absolute, as the process sees it. 0 if it could; -ENOENT, -ENOTDIR, -EACCES (also on the way there), -EROFS;
 * or another error of looking. Where we may not take on its identity, it is judged by our own. */
int access_as_may_write(const struct proc *p, const char *folder);
