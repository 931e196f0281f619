/* SPDX-License-Identifier: Apache-2.0
 *
 * What of a target stays when its container restarts, for rule_join: its caps and its rest go on under it. Made of what
 * the runtime and the kubelet say, not of what the container says of itself: it must not choose whose cases count.
 *
 *   pod UID + container's name   Kubernetes: a restart brings a new container id
 *   container id                 elsewhere: "docker restart" keeps it, and what is made anew is another one
 *   the cgroup's path            without a container: a service of systemd
 *
 * Cgroups below a container's are told apart by the rest of their path.
 */
#pragma once

#include "guard/rule.h"
#include "linux/memcg.h"

/* proc: of /proc/PID of a process in it. False if it says nothing; ret is untouched. */
bool target_key_of_process(int proc, char ret[RULE_KEY_MAX]);

/* Of a process that was given by its id, which another one may get: with the time of its start. */
void target_key_of_given(pid_t pid, char ret[RULE_KEY_MAX]);
