/* SPDX-License-Identifier: Apache-2.0
 *
 * Identifies the program that runs under a pid, for callers that scan all processes repeatedly: one read; equal as long
 * as it is the same process and has not executed another program.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct program {
    pid_t pid, parent, group;
    uint64_t started;     /* clock ticks since the boot */
    uint64_t code, stack; /* addresses, which differ after an exec (address space layout randomisation) */
};

/* procfd: of /proc, or of a folder in tests. -ESRCH if there is no such process, -EBADMSG. */
int program_read(int procfd, pid_t pid, struct program *ret);
bool program_same(const struct program *a, const struct program *b);
