/* SPDX-License-Identifier: Apache-2.0
 *
 * The registers of a thread that is stopped by ptrace; of one that would not stop, what the kernel shows of it. To be
 * called by the tracing thread.
 */
#pragma once

#include "core/ptrace_freeze.h"

struct thread_registers {
    const struct proc *proc;
    const struct elfcore_machine *machine;
    size_t extra_total; /* bytes of the further sets of all threads so far */
};

/* Sets the thread's registers, floats and extra; gone, if it was killed meanwhile. -EOPNOTSUPP for a process of 32
 * bits.
 */
int thread_registers_read(struct thread_registers *s, struct ptrace_freeze_thread *t, struct err *e);
