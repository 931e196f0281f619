/* SPDX-License-Identifier: Apache-2.0
 *
 * Why the kernel refuses to let us trace a process, for the user. Asked after PTRACE_SEIZE has failed.
 */
#pragma once

#include "base/err.h"
#include "linux/proc.h"

/* -ESRCH if the process has ended, else -EPERM; e has the reason. */
int ptrace_refusal(const struct proc *p, struct err *e);
