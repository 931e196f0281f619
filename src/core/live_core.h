/* SPDX-License-Identifier: Apache-2.0
 *
 * A core of a process that goes on living: its registers and memory as an ELF core, written sequentially to any
 * descriptor. It contains what the kernel's cores contain (coredump_filter, MADV_DONTDUMP). Pages that the process
 * never touched are not read, so they are not allocated either: they are zeros. Of mapped files only the names are
 * written. Our memory is bounded: a buffer, and what grows with the number of mappings and threads.
 *
 * In a consistent core the process is stopped while it is copied, and so can't grow; once at_most_ms is over, or no
 * write succeeds for PTRACE_FREEZE_IDLE_MS, it is released, and the rest is copied while it runs. With `quick` it is
 * stopped only for its registers, the list of mappings and the tops of its stacks. The tops of the stacks always match
 * the registers, so that a debugger shows where each thread was.
 */
#pragma once

#include "base/err.h"
#include "linux/proc.h"

struct live_core_options {
    bool quick;
    bool all_memory;     /* also mapped files, and memory marked MADV_DONTDUMP; never devices */
    uint64_t at_most_ms; /* how long the process may be stopped */
    uint64_t until_ms;   /* monotonic; then the core is cut off; 0: no limit */
    /* Called after each piece; a result other than 0 ends the core. May be NULL. */
    int (*step)(void *ctx, uint64_t written, uint64_t total);
    void *ctx;
};

struct live_core {
    uint64_t size;             /* bytes, holes included */
    uint64_t stopped_us;       /* how long the process was stopped */
    size_t threads, unstopped; /* unstopped: those that did not stop in time: their registers are unknown */
    uint64_t lost;             /* bytes of memory that could not be read and are zeros */
    uint64_t late;             /* bytes that were copied after at_most_ms, while the process ran */
    uint64_t consistent;       /* bytes from the beginning that were copied while the process was stopped */
    bool cut;                  /* the core is cut off: the process ended meanwhile, or until_ms was reached */
    bool timed_out;            /* it was until_ms */
};

/* fd: pipe, socket or an empty regular file, in which zeros become holes. -EPERM, -ESRCH, -EOPNOTSUPP (32 bits) and the
 * like before the first byte; -ECANCELED if step ended the core; or the error of write(2). The process is released in
 * any case. */
int live_core_write(const struct proc *p, const struct live_core_options *o, int fd, struct live_core *ret,
                    struct err *e);

/* An estimate of the core's size in bytes; 0 unknown. */
uint64_t live_core_guess(const struct proc *p);
