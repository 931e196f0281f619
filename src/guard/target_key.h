/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of a target's identity that stays when its container restarts, for rule_join: caps and cool-downs continue
 * under this key. Built from what the runtime and the kubelet say, not from what the container says about itself: a
 * container must not be able to choose another one's key.
 *
 *   pod UID + container name     Kubernetes: a restart brings a new container id
 *   container id                 elsewhere: "docker restart" keeps it; a recreated container is a new one
 *   the cgroup's path            without a container: a service of systemd
 *
 * For a cgroup below a container's, the rest of its path is added.
 */
#pragma once

#include "guard/rule.h"
#include "linux/memcg.h"

/* proc: descriptor of /proc/PID of a process in the cgroup. False, and ret untouched, if its files do not say. */
bool target_key_of_process(int proc, char ret[RULE_KEY_MAX]);

/* For a process given by --pid, with its start time: the number may be used again. */
void target_key_of_given(pid_t pid, char ret[RULE_KEY_MAX]);
