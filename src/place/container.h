/* SPDX-License-Identifier: Apache-2.0
 *
 * The container that a process is in. Knows no pod (place/whoami.h), and asks no runtime.
 */
#pragma once

#include <stdbool.h>

#include "place/containerid.h"

/* proc: a descriptor of /proc/PID. False, and ret untouched, if it is in none that is known, or may not be looked at.
 */
bool container_of_process(int proc, char ret[CONTAINERID_MAX]);

/* The same by its cgroup alone, which is cheap; and the pod's UID likewise. */
bool container_of_cgroup(int proc, char ret[CONTAINERID_MAX]);
bool container_pod(int proc, char ret[PODUID_MAX]);

/* The container's name as the kubelet calls it, by what is mounted into it; false also outside of a pod. */
bool container_kubelet_name(int proc, char ret[CONTAINERNAME_MAX]);
