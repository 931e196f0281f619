/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts about where we run (place/facts.h): the container id from kernel files, the ECS task or EC2 instance from
 * metadata services. Collected once, by a worker or a command, never by a loop. A claim stores the facts of its first
 * attempt, so that an unreliable service can't give one piece of evidence two keys.
 */
#pragma once

#include "place/facts.h"
#include "place/whoami.h"

/* Blocks for at most a second; uses the network only if environment or DMI show that there is a metadata service. root
 * is "/" except in tests. 0 or -ENOMEM. */
int environment_facts_get(const char *root, const struct whoami *who, struct facts *ret);

/* The facts that an earlier attempt stored in this claim, else `given`, which is then stored (best effort: the disk may
 * be full). claim_dir: -1: no folder. 0 or -ENOMEM. */
int environment_facts_of_claim(int claim_dir, const struct facts *given, struct facts *ret);
