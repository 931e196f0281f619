/* SPDX-License-Identifier: Apache-2.0
 *
 * Which cases of a list a policy gives up, and why. Pure. Of a crash loop (cases of one namespace, workload and cause,
 * none further than six hours from the next) the first and the last stay longest, but for the age: what is too old
 * goes. A pinned case always stays, and so does a folder without a manifest to which something came within a day: it
 * may be on its way.
 */
#pragma once

#include "base/buf.h"
#include "ship/case_list.h"
#include "ship/retain_policy.h"

#define RETAIN_LOOP_GAP_NS (INT64_C(6) * 3600 * 1000000000)

struct retain_now {
    int64_t wall_ns;
    uint64_t free; /* bytes on the disk; UINT64_MAX: not known, free= is left out */
};

/* Sets reason and rule of each case of the list. p must live as long as they are read. 0 or -ENOMEM. */
int retain_plan(struct case_list *l, const struct retain_policy *p, const struct retain_now *now);

/* "older than 30d" into out[RETAIN_REASON_MAX]; returns out. */
enum { RETAIN_REASON_MAX = 100 };
const char *retain_reason(const struct listed_case *c, char *out);
