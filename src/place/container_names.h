/* SPDX-License-Identifier: Apache-2.0
 *
 * Who runs on this machine, container by container: names for the ids that stand in the paths of cgroups. Names are
 * what the processes say of themselves (place/whoami.h): for people to read, never to decide upon.
 */
#pragma once

#include <stddef.h>

#include "place/whoami.h"

struct tenant;

struct container_names {
    struct tenant *item; /* owned */
    size_t count;
};

/* All processes that are in a container or a pod. root is "/proc" but in tests. 0, -ENOSYS, -ENOMEM. */
int container_names_scan(const char *root, struct container_names *ret);
void container_names_done(struct container_names *t);

/* The names of a container's pod, by a process of that container, else by one of that pod, which knows no container's
 * name. Both ids may be "". ret: whoami_done. 0, -ESRCH if nothing of it runs that knows its pod,
 * -ENOMEM. */
int container_names_name(const struct container_names *t, const char *root, const char *container_id,
                         const char *pod_uid, struct whoami *ret);
