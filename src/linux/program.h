/* SPDX-License-Identifier: Apache-2.0
 *
 * Which program runs under a pid, for callers that scan all processes repeatedly: one read, and equal as long as it is
 * the same process that has not executed another program. Says nothing of what it is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct program {
    pid_t pid, parent, group;
    uint64_t started;     /* clock ticks since the boot */
    uint64_t code, stack; /* addresses: another program's are others (address space layout randomisation) */
};

/* procfd: of /proc, or a folder in tests. -ESRCH if there is none (any more), -EBADMSG. */
int program_read(int procfd, pid_t pid, struct program *ret);
bool program_same(const struct program *a, const struct program *b);
