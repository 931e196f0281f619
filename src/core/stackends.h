/* SPDX-License-Identifier: Apache-2.0
 *
 * The ends of a stopped process's stacks that its threads work on, kept aside while it stands still: a core whose other
 * memory is copied later has them as they were when the registers were read. Bounded: each end in size, and all of
 * them together; threads beyond that go without.
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

/* From each thread's stack pointer on upwards, while s holds. What can't be read, or has no room, is left out. */
void stackends_take(struct stackends *ret, const struct proc *p, const struct ptrace_freeze *s, const struct memmap *m);

/* Over a copy of the memory at address, of size bytes: what is known of it. */
void stackends_put(const struct stackends *ends, uint64_t address, char *copy, size_t size);

void stackends_done(struct stackends *ends);
