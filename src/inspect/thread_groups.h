/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads of a dump in groups: pools (equal names but for the last number) and equal stacks.
 */
#pragma once

#include "threads/thread_activity.h"

struct thread_group {
    char *name;     /* "http-nio-8080-exec-#"; of a stack: of its threads, or NULL if they have several. Owned */
    uint32_t first; /* the first of its threads, in the order of the dump */
    uint32_t count;
    uint32_t doing[THREAD_ACTIVITIES];
};

struct thread_groups {
    struct thread_group *group; /* the largest first, then by first */
    size_t count;
};

/* Both without threads of the JVM itself. only: of these threads (one bool each); NULL: all. 0 or -ENOMEM. */
int thread_pools_find(const struct thread_dumps *all, const struct thread_dump *d, const bool *only,
                      struct thread_groups *ret);
int thread_stacks_find(const struct thread_dumps *all, const struct thread_dump *d, const bool *only,
                       struct thread_groups *ret);
void thread_groups_done(struct thread_groups *g);

/* A name with its last number as '#', into out[size]; returns out. */
const char *thread_pool_name(const char *name, char *out, size_t size);
