/* SPDX-License-Identifier: Apache-2.0
 *
 * The pod or host that a process's evidence is filed under. A process of another pod or host (seen from a node) names
 * its own in its environment; so does one of our own pod whose names we were not given (a debug container).
 */
#pragma once

#include "linux/proc.h"
#include "place/whoami.h"
#include "ship/shipping.h"

/* Sets the owner of what s ships from now on. What metadata services know of us is left out where the process belongs
 * to another pod or host. Without names of the process, s stays as it is. its: owned by the caller, and lives as long
 * as s is used. */
void evidence_owner_set(struct shipping *s, const struct proc *p, struct whoami *its);
