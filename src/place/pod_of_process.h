/* SPDX-License-Identifier: Apache-2.0
 *
 * The pod of a process on this node, by its cgroup and the kubelet's folders: for a process that must not choose where
 * its evidence is filed.
 */
#pragma once

#include "place/whoami.h"

/* pod_logs: "/var/log/pods" but in tests. proc: a descriptor of /proc/PID. Names of pod, namespace and container
 * replace those in `ret` (place/whoami.h, of its environment). 0; -ENOENT: it is in no pod, or the kubelet has no
 * folder for it; ret is then unchanged; -ENOMEM. */
int pod_of_process(const char *pod_logs, int proc, struct whoami *ret);
