/* SPDX-License-Identifier: Apache-2.0
 *
 * What a guard calls a process's container in its log: "namespace/pod/container". By what the container says of itself
 * (place/whoami.h) and what the kubelet mounts into it: for people to read, never to decide upon.
 */
#pragma once

#include <stdbool.h>

#include "linux/proc.h"
#include "place/whoami.h"

enum { TARGET_NAME_MAX = 384 };

/* Without a container's name the start of its id stands there, without a namespace nothing. False, and ret untouched,
 * if no pod is known. */
bool target_name_of(const struct proc *p, const struct whoami *who, const char *container_id,
                    char ret[TARGET_NAME_MAX]);

/* The same by pid alone, for what is not watched. */
bool target_name_of_pid(pid_t pid, char ret[TARGET_NAME_MAX]);
