/* SPDX-License-Identifier: Apache-2.0
 *
 * The processes that have come since the last look at /proc, or that have executed another program since (a container's
 * first process is moved to its cgroup before it becomes the application). One small read for each process.
 */
#pragma once

#include <stddef.h>

#include "os/program.h"

struct newcomers {
    struct program *known; /* ascending by pid; owned */
    size_t count;
};

/* fn for each newcomer, in order. root: "/proc" but in tests. 0, or -errno: then nothing was told, and the next look
 * tells it. */
int newcomers_look(struct newcomers *n, const char *root, void (*fn)(void *ctx, pid_t pid), void *ctx);
void newcomers_done(struct newcomers *n);
