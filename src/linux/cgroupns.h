/* SPDX-License-Identifier: Apache-2.0
 *
 * The cgroup namespace, to which paths of cgroups are relative (cgroup_namespaces(7)). On cgroup v2 each container has
 * one: seen from there the paths of other containers begin with "/../..", and cannot be opened.
 */
#pragma once

/* Enters the cgroup namespace of process 1, which is the machine's with hostPID. Changes only how cgroups are named,
 * not which cgroup we are in; needs CAP_SYS_ADMIN. 0 (also if we are in it already), -errno. */
int cgroupns_enter_first(void);

/* The path of our namespace's root in the hierarchy of cgroup v2, if a mount of ours shows the hierarchy from its top
 * (its root is "/../.."): searched once, by finding our own cgroup there. NULL: no such mount, or not found. */
const char *cgroupns_home(void);
