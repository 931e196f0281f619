/* SPDX-License-Identifier: Apache-2.0
 *
 * Explains to the user why PTRACE_SEIZE failed.
 */
#pragma once

#include "base/err.h"
#include "linux/proc.h"

/* -ESRCH if the process has ended, else -EPERM, with the reason in e. */
int ptrace_refusal(const struct proc *p, struct err *e);
