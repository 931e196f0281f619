/* SPDX-License-Identifier: Apache-2.0
 *
 * The name of a process's container in the guard's log: "namespace/pod/container". It comes from the kubelet's
 * folder of logs if that is visible, else from the container's environment (place/whoami.h) and the kubelet's mounts in
 * it: for people to read, never to decide by.
 */
#pragma once

#include <stdbool.h>

#include "linux/proc.h"
#include "place/whoami.h"

enum { TARGET_NAME_MAX = 384 };

/* Without a container name, the start of its id; without a namespace, no namespace. False, and ret untouched, if no
 * pod is known. */
bool target_name_of(const struct proc *p, const struct whoami *who, const char *container_id,
                    char ret[TARGET_NAME_MAX]);

/* The same by pid, for a process that is not watched. */
bool target_name_of_pid(pid_t pid, char ret[TARGET_NAME_MAX]);
