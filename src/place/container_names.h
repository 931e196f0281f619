/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of pods and containers on this machine for the ids in paths of cgroups. The names come from the processes'
 * environment (place/whoami.h) and are untrusted: for display only, never for decisions.
 */
#pragma once

#include <stddef.h>

#include "place/whoami.h"

struct container_process;

struct container_names {
    struct container_process *item; /* owned */
    size_t count;
};

/* All processes that are in a container or a pod. root is "/proc" except in tests. 0, -ENOSYS, -ENOMEM. */
int container_names_scan(const char *root, struct container_names *ret);
void container_names_done(struct container_names *t);

/* The names of a container and its pod, from a process of that container; else the pod's from another process of the
 * pod. Both ids may be "". ret: to be freed by whoami_done. 0, -ESRCH if no process knows the pod, -ENOMEM. */
int container_names_find(const struct container_names *t, const char *root, const char *container_id,
                         const char *pod_uid, struct whoami *ret);
