/* SPDX-License-Identifier: Apache-2.0
 *
 * The pod or host that a process's evidence is filed under. A process of another pod or host (seen from a node) has
 * the names of that one in its environment; a process of our own pod has names that we may lack (a debug container).
 */
#pragma once

#include "linux/proc.h"
#include "place/whoami.h"
#include "ship/shipping.h"

/* Sets the owner of what s ships from now on. What metadata services know of us is left out where the process belongs
 * to another pod or host. Without names of the process, s stays as it is. its: owned by the caller, and lives as long
 * as s is used. */
void evidence_owner_set(struct shipping *s, const struct proc *p, struct whoami *its);
