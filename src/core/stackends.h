/* SPDX-License-Identifier: Apache-2.0
 *
 * The tops of a stopped process's stacks, saved while it is stopped: a core whose other memory is copied later gets
 * them as they were when the registers were read. Bounded: each in size, and all together; threads beyond that have
 * none.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/memmap.h"
#include "core/ptrace_freeze.h"

struct stackend {
    uint64_t start;
    size_t size;
    size_t at; /* in bytes */
};

struct stackends {
    struct stackend *end; /* owned */
    size_t count;
    char *bytes; /* owned */
    size_t used;
};

/* Saves memory from each thread's stack pointer upwards, while s holds the process. What can't be read, or has no room,
 * is left out. */
void stackends_save(struct stackends *ret, const struct proc *p, const struct ptrace_freeze *s, const struct memmap *m);

/* Overwrites a copy of the memory at address, of size bytes, with what was saved of it. */
void stackends_restore(const struct stackends *ends, uint64_t address, char *copy, size_t size);

void stackends_done(struct stackends *ends);
