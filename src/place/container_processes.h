/* SPDX-License-Identifier: Apache-2.0
 *
 * The oldest process of each container on this node, which is the one that its runtime has started: found once for
 * many containers, by the cgroups of all processes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mem.h"
#include "place/containerid.h"

struct container_processes {
    struct container_process {
        char container[CONTAINERID_MAX], pod[PODUID_MAX];
        pid_t pid;
        uint64_t start_ticks; /* since boot */
    } * item;
    size_t count, capacity;
};

enum { CONTAINER_PROCESSES_MAX = 4096 };

/* proc: "/proc" but in tests. Processes outside of pods are left out. 0 or -errno. */
int container_processes_read(const char *proc, struct container_processes *ret);
void container_processes_done(struct container_processes *c);

/* -ESRCH: there is none of this container in this pod. */
int container_processes_find(const struct container_processes *c, const char *container, const char *pod_uid,
                             pid_t *ret);
