/* SPDX-License-Identifier: Apache-2.0
 *
 * A process brought to a standstill, with the registers of all its threads; it goes on when told, when its time is up,
 * or when we die, however we die: it is held by ptrace (PTRACE_SEIZE), from a thread of our own that does nothing else,
 * and the kernel lets go of a tracer's threads when it ends. Signals that come meanwhile reach the process afterwards;
 * one that was stopped before (SIGSTOP) stays stopped. A system call that the standstill interrupts is begun again by
 * the kernel, but for the few that then fail with EINTR (signal(7): epoll_wait and others), as under any debugger.
 */
#pragma once

#include "base/err.h"
#include "core/elfcore.h"
#include "linux/proc.h"

struct ptrace_freeze_thread {
    pid_t tid;   /* as we see it */
    pid_t inner; /* as it knows itself */
    int signal;  /* that it was about to get; 0 */
    bool held;   /* false: it would not stop in time (it waits in the kernel), and of the registers only the program
                    counter and the stack pointer are known, or nothing */
    bool gone;
    char registers[ELFCORE_REGISTERS_MAX], floats[ELFCORE_FLOATS_MAX];
    void *extra; /* the machine's further set; owned; NULL where there is none, or no room for it */
    size_t extra_size;
};

enum { PTRACE_FREEZE_IDLE_MS = 2000 };

struct ptrace_freeze;

/* Stops it for at most_ms, counted from the first thread's stop. Its first thread comes first. -EPERM with the reason,
 * -ESRCH, -EOPNOTSUPP for a process of 32 bits. */
int ptrace_freeze_begin(const struct proc *p, uint64_t at_most_ms, struct ptrace_freeze **ret, struct err *e);

/* Those that were there; gone ones are left out. Borrowed. */
size_t ptrace_freeze_threads(const struct ptrace_freeze *s, const struct ptrace_freeze_thread **ret);

/* It holds for a reason still. Without this for STANDSTILL_IDLE_MS its time is up: whoever takes the core has stalled,
 * and may even wait for the process itself. */
void ptrace_freeze_renew(struct ptrace_freeze *s);

bool ptrace_freeze_holds(struct ptrace_freeze *s);

/* Lets it go; returns for how long it stood still, in microseconds. May be called again. */
uint64_t ptrace_freeze_end(struct ptrace_freeze *s);

/* Whether its time was up before ptrace_freeze_end. */
bool ptrace_freeze_timed_out(struct ptrace_freeze *s);

void ptrace_freeze_free(struct ptrace_freeze *s); /* lets it go; NULL is fine */
