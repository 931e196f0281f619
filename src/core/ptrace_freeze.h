/* SPDX-License-Identifier: Apache-2.0
 *
 * Stops a process by ptrace, and reads the registers of all its threads. The process is released by a call, at the end
 * of the agreed time, or when we die for any reason: a dedicated thread of ours traces it (PTRACE_SEIZE), and the
 * kernel detaches a tracer that ends. Signals that arrive meanwhile are delivered afterwards; a process that was
 * stopped before (SIGSTOP) stays stopped. The kernel restarts interrupted system calls, except those that fail with
 * EINTR (signal(7): epoll_wait and others), as under any debugger.
 */
#pragma once

#include "base/err.h"
#include "core/elfcore.h"
#include "linux/proc.h"

struct ptrace_freeze_thread {
    pid_t tid;   /* in our pid namespace */
    pid_t inner; /* in the process's pid namespace */
    int signal;  /* signal that was about to be delivered; 0: none */
    bool held; /* false: it did not stop in time (it waits in the kernel), and at most program counter and stack pointer
                  are known */
    bool gone;
    char registers[ELFCORE_REGISTERS_MAX], floats[ELFCORE_FLOATS_MAX];
    void *extra; /* a further register set; owned; NULL if there is none, or no room for it */
    size_t extra_size;
};

enum { PTRACE_FREEZE_IDLE_MS = 2000 };

struct ptrace_freeze;

/* Stops the process for at_most_ms, counted from the first thread's stop. -EPERM with the reason, -ESRCH, -EOPNOTSUPP
 * for a process of 32 bits. */
int ptrace_freeze_begin(const struct proc *p, uint64_t at_most_ms, struct ptrace_freeze **ret, struct err *e);

/* The threads, the main thread first. Borrowed. */
size_t ptrace_freeze_threads(const struct ptrace_freeze *s, const struct ptrace_freeze_thread **ret);

/* Called while the core is being written. Without a call for PTRACE_FREEZE_IDLE_MS the process is released: the writer
 * has stalled, and may even wait for the process itself. */
void ptrace_freeze_renew(struct ptrace_freeze *s);

bool ptrace_freeze_holds(struct ptrace_freeze *s);

/* Releases the process; returns for how many microseconds it was stopped. May be called again. */
uint64_t ptrace_freeze_end(struct ptrace_freeze *s);

void ptrace_freeze_free(struct ptrace_freeze *s); /* releases the process; accepts NULL */
