/* SPDX-License-Identifier: Apache-2.0
 *
 * Who runs on this machine, container by container: names for the ids that stand in the paths of cgroups. Names are
 * what the processes say of themselves (place/whoami.h): for people to read, never to decide upon.
 */
#pragma once

#include <stddef.h>

#include "place/whoami.h"

struct tenant;

struct tenants {
    struct tenant *item; /* owned */
    size_t count;
};

/* All processes that are in a container or a pod. root is "/proc" but in tests. 0, -ENOSYS, -ENOMEM. */
int tenants_scan(const char *root, struct tenants *ret);
void tenants_done(struct tenants *t);

/* The names of a container's pod, by a process of that container, else by one of that pod, which knows no container's
 * name. Both ids may be "". ret: whoami_done. 0, -ESRCH if nothing of it runs that knows its pod,
 * -ENOMEM. */
int tenants_name(const struct tenants *t, const char *root, const char *container_id, const char *pod_uid,
                 struct whoami *ret);
