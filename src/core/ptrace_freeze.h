/* SPDX-License-Identifier: Apache-2.0
 *
 * Stops a process, with the registers of all its threads read. It runs on when it is released, when the agreed time is
 * up, or when we die, however we die: a thread of ours that does nothing else traces it (PTRACE_SEIZE), and the kernel
 * detaches a tracer that ends. Signals that arrive meanwhile are delivered afterwards; a process that was stopped
 * before (SIGSTOP) stays stopped. The kernel restarts an interrupted system call, except for the few that fail with
 * EINTR (signal(7): epoll_wait and others), as under any debugger.
 */
#pragma once

#include "base/err.h"
#include "core/elfcore.h"
#include "linux/proc.h"

struct ptrace_freeze_thread {
    pid_t tid;   /* in our pid namespace */
    pid_t inner; /* in its own pid namespace */
    int signal;  /* that was about to be delivered; 0 */
    bool held;   /* false: it did not stop in time (it waits in the kernel): only the program counter and the stack
                    pointer are known, or nothing */
    bool gone;
    char registers[ELFCORE_REGISTERS_MAX], floats[ELFCORE_FLOATS_MAX];
    void *extra; /* a further register set; owned; NULL where there is none, or no room for it */
    size_t extra_size;
};

enum { PTRACE_FREEZE_IDLE_MS = 2000 };

struct ptrace_freeze;

/* Stops it for at_most_ms, counted from the first thread's stop. -EPERM with the reason, -ESRCH, -EOPNOTSUPP for a
 * process of 32 bits. */
int ptrace_freeze_begin(const struct proc *p, uint64_t at_most_ms, struct ptrace_freeze **ret, struct err *e);

/* Its threads, the first thread of the process first. Borrowed. */
size_t ptrace_freeze_threads(const struct ptrace_freeze *s, const struct ptrace_freeze_thread **ret);

/* Called while the core is being written. Without a call for PTRACE_FREEZE_IDLE_MS the process is released: the writer
 * has stalled, and may even wait for the process itself. */
void ptrace_freeze_renew(struct ptrace_freeze *s);

bool ptrace_freeze_holds(struct ptrace_freeze *s);

/* Releases it; returns for how long it was stopped, in microseconds. May be called again. */
uint64_t ptrace_freeze_end(struct ptrace_freeze *s);

/* True if the time was up before ptrace_freeze_end. */
bool ptrace_freeze_timed_out(struct ptrace_freeze *s);

void ptrace_freeze_free(struct ptrace_freeze *s); /* releases it; accepts NULL */
