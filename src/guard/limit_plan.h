/* SPDX-License-Identifier: Apache-2.0
 *
 * Decides which settings --lend and --hold change for a case: reads cgroups and /proc/meminfo, changes nothing. A
 * setting that another case has changed is not changed again.
 */
#pragma once

#include "guard/limit_override.h"

/* Add settings to o->override, or explain in o->lend and o->hold why not. */
void limit_plan_lend(const struct limit_overrides *l, const struct memcg *m, struct limit_override_outcome *o);
void limit_plan_hold(const struct limit_overrides *l, const struct memcg *m, const struct memcg_sample *s,
                     uint64_t now_ms, struct limit_override_outcome *o);

/* Explains why a setting can't be changed, and what to do about it. r: -errno. */
const char *limit_plan_error(int r);
