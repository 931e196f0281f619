/* SPDX-License-Identifier: Apache-2.0
 *
 * A core of a process that lives on: its registers and memory as an ELF core, written from front to back into whatever
 * takes bytes. What is in it is what the kernel would put into one (coredump_filter, MADV_DONTDUMP); pages that the
 * process never touched are neither read nor brought into being: they read as zeros. Of its files that are mapped only
 * the names are in it. Our own memory is bounded: a buffer, and what grows with the number of mappings and threads.
 *
 * Consistent, it stands still while it is copied, and can't grow, either; once its time is up, or nobody takes
 * what is written for STANDSTILL_IDLE_MS, it goes on, and the rest is copied while it runs. Quick, it stands still for
 * its registers, list of mappings and the upper ends of its stacks only. Those ends fit the registers either way, so
 * that a debugger shows where each thread was.
 */
#pragma once

#include "base/err.h"
#include "linux/proc.h"

struct live_core_options {
    bool quick;
    bool all_memory;     /* also files that are mapped, and what is marked as not to be dumped; never devices */
    uint64_t at_most_ms; /* of standing still */
    uint64_t until_ms;   /* monotonic; then the core ends where it is, cut off; 0: as long as it takes */
    /* Asked after each piece; not 0 ends it. May be NULL. */
    int (*step)(void *ctx, uint64_t written, uint64_t total);
    void *ctx;
};

struct live_core {
    uint64_t size;             /* bytes written, or that a file has with its holes */
    uint64_t stopped_us;       /* how long the process stood still */
    size_t threads, unstopped; /* unstopped: of them, those that would not stop: their registers are not known */
    uint64_t lost;             /* bytes of memory that could not be read: zeros */
    uint64_t late;             /* bytes that were copied after its time was up */
    uint64_t consistent;       /* bytes from the beginning that are of the moment of the standstill */
    bool cut;                  /* the process ended meanwhile, or its time was up: so does the core */
    bool timed_out;            /* it was the time */
};

/* fd: in a regular file, empty and at its beginning, zeros become holes. -EPERM, -ESRCH, -EOPNOTSUPP (32 bits) and the
 * like before the first byte; -ECANCELED if step said so; what write says. Whatever happens, the process goes on. */
int live_core_write(const struct proc *p, const struct live_core_options *o, int fd, struct live_core *ret,
                    struct err *e);

/* About how large it will be; 0 unknown. */
uint64_t live_core_guess(const struct proc *p);
