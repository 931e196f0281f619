/* SPDX-License-Identifier: Apache-2.0
 *
 * The container that a process is in, without asking a container runtime. place/whoami.h finds the pod.
 */
#pragma once

#include <stdbool.h>

#include "place/containerid.h"

/* proc: a descriptor of /proc/PID. False, and ret untouched, if it is in no known container, or may not be
 * inspected. */
bool container_of_process(int proc, char ret[CONTAINERID_MAX]);

/* The same from its cgroup only, which is cheap; and the pod's UID likewise. */
bool container_of_cgroup(int proc, char ret[CONTAINERID_MAX]);
bool container_pod(int proc, char ret[PODUID_MAX]);

/* The container's name in its pod spec, from a file that the kubelet mounts into it; false outside of a pod. */
bool container_kubelet_name(int proc, char ret[CONTAINERNAME_MAX]);
