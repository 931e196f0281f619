/* SPDX-License-Identifier: Apache-2.0
 *
 * One core on its way, from the kernel's pipe or socket into the store, or into the spool while the store is away; then
 * the record of the crash and a JVM's crash log, in the same case.
 */
#pragma once

#include "node/core_ledger.h"
#include "node/core_pump.h"
#include "node/core_rules.h"
#include "node/crash_facts.h"

struct core_case {
    const struct core_rules *rules;
    const struct crash *crash;
    const struct crash_facts *facts;
    int home; /* node/core_home.h: what the handlers share; borrowed */
    int in;   /* taken: the core's bytes */
    int copy; /* taken: a pipe that gets the same; -1: none */
};

/* Blocks until the core is stored, spooled or lost; logs events. ret: end, place and what are set. */
void core_case_take(struct core_case *c, struct core_entry *ret);
