/* SPDX-License-Identifier: Apache-2.0
 *
 * The registers of a thread that is stopped by ptrace; of one that did not stop, what /proc shows. To be called by the
 * tracing thread.
 */
#pragma once

#include "core/ptrace_freeze.h"

struct thread_registers {
    const struct proc *proc;
    const struct elfcore_machine *machine;
    size_t extra_total; /* bytes of further sets so far, of all threads */
};

/* Sets the thread's registers, floats and extra, or gone if it was killed meanwhile. -EOPNOTSUPP for a process of 32
 * bits. */
int thread_registers_read(struct thread_registers *s, struct ptrace_freeze_thread *t, struct err *e);
