/* SPDX-License-Identifier: Apache-2.0
 *
 * The cgroup namespace that names of cgroups are relative to (cgroup_namespaces(7)). A container has one of its own on
 * cgroup v2: from there other containers' names climb ("/../../X") and lead nowhere.
 */
#pragma once

/* Enters the first process's, which is the machine's where its processes are seen (hostPID). That changes only how
 * cgroups are named to us, not which one we are in; takes CAP_SYS_ADMIN. 0 (also where we are in it already), -errno.
 */
int cgroupns_enter_first(void);

/* Where the root of our namespace is in the hierarchy of cgroup v2, as a mount of ours shows that from its top (its
 * root climbs, "/../.."): found by looking for the group that we are in, once. NULL: no such mount, or not found. */
const char *cgroupns_home(void);
