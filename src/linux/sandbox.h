/* SPDX-License-Identifier: Apache-2.0
 *
 * Locks the calling process in, for good: from then on it computes, reads and writes the descriptors that it has,
 * and nothing else. It can't open, connect, start a process, or trace one. For processes that parse what a hostile
 * container has written, and for nothing that holds credentials: those stay readable in memory.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct sandbox {
    int fd_most;            /* the highest descriptor that stays open */
    uint64_t address_space; /* RLIMIT_AS, bytes, with mapped files; 0: none */
    uint64_t memory;        /* RLIMIT_DATA, bytes of private memory; 0: none */
    uint64_t cpu_s;         /* RLIMIT_CPU; 0: none */
    unsigned fd_room;       /* descriptors that it may be handed later (sandboxed_file) */
    bool refuses_paths;     /* a library that looks for files by path gets EACCES, instead of its death */
};

/* What the machine does not have. */
enum { SANDBOX_NO_SECCOMP = 1 };

/* Whether the kernel, and the sandbox that we may be in ourselves, has seccomp for us. Changes nothing. */
bool sandbox_has_seccomp(void);

/* Call it before the first foreign byte, with one thread. No new privileges, not dumpable, no core dump, the limits,
 * and a list of system calls: any other one kills the process with SIGSYS. Without seccomp (an old kernel, some
 * sandboxes that are themselves containers) it goes on with the rest: *ret_missing has SANDBOX_NO_SECCOMP. malloc then
 * has one arena, because glibc opens a file to trim a second one. Built with AddressSanitizer, which reserves terabytes
 * of addresses, there is neither limit of memory. */
int sandbox_enter(const struct sandbox *s, unsigned *ret_missing, struct err *e);
