/* SPDX-License-Identifier: Apache-2.0
 *
 * What others know of where we run (place/facts.h): the container's id by the kernel's files, the ECS task or EC2
 * instance by its metadata services. Found out once, by a worker or a command, never by the loop; a claim keeps what
 * its first attempt knew, so that a service that comes and goes can't give one piece of evidence two names.
 */
#pragma once

#include "place/facts.h"
#include "place/whoami.h"

/* Blocks for at most a second, and asks no network where nothing says that there is a service to ask (environment,
 * DMI). root is "/" but in tests. 0 or -ENOMEM. */
int environment_facts_get(const char *root, const struct whoami *who, struct facts *ret);

/* What an earlier attempt on this claim wrote down, else given, which is then written down; best effort: a full disk
 * keeps nothing. claim_dir -1: there is no folder. 0 or -ENOMEM. */
int environment_facts_of_claim(int claim_dir, const struct facts *given, struct facts *ret);
