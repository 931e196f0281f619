/* SPDX-License-Identifier: Apache-2.0
 *
 * Which set of options takes a core: the one of the rule that fits its pod, by the agent's table of pods or by its
 * namespace. What the process says of itself does not count.
 */
#pragma once

#include "node/core_config.h"
#include "node/core_rules.h"
#include "node/crash_facts.h"

/* A set whose options were read. Borrowed. */
struct core_choice {
    const struct core_rules *rules;
    const struct rate *rate;
    const struct core_set *set;
};

/* NULL: none takes it; *ret_why says why, static. */
const struct core_choice *core_choose(const struct core_choice *choices, size_t count, const struct crash_facts *f,
                                      const char **ret_why);

/* Makes the environment of the set ours: the store's keys. 0 or -ENOMEM. */
int core_choice_enter(const struct core_choice *c);
