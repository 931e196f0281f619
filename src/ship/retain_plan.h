/* SPDX-License-Identifier: Apache-2.0
 *
 * Which cases of a list a policy gives up, and why. Pure. Of a crash loop (cases of one namespace, workload and cause,
 * none further than six hours from the next) the first and the last stay longest, and the first of each suspect (what
 * filled the heap; at most sixteen in one loop), but for the age: what is too old goes. A pinned case always stays, and
 * so does a folder without a manifest to which something came within a day: it may be on its way.
 */
#pragma once

#include "base/buf.h"
#include "ship/case_list.h"
#include "ship/case_suspect.h"
#include "ship/retain_policy.h"

#define RETAIN_LOOP_GAP_NS (INT64_C(6) * 3600 * 1000000000)

struct retain_now {
    int64_t wall_ns;
    uint64_t free; /* bytes on the disk; UINT64_MAX: not known, free= is left out */
    /* The suspect of a case (ship/case_suspect.h) into out; "": none, or not known. Asked of cases of crash loops that
     * would go, and of the ends of their loops: each once. May be NULL: loops keep their ends alone. */
    void (*suspect)(void *ctx, const struct listed_case *c, char out[SUSPECT_MAX]);
    void *ctx;
};

/* Sets reason and rule of each case of the list. p must live as long as they are read. 0 or -ENOMEM. */
int retain_plan(struct case_list *l, const struct retain_policy *p, const struct retain_now *now);

/* A suspect as a number, 0 for "". Numbers in it (of threads, of lambdas) do not tell it from others. */
uint64_t retain_suspect(const char *text);

/* "older than 30d" into out[RETAIN_REASON_MAX]; returns out. */
enum { RETAIN_REASON_MAX = 100 };
const char *retain_reason(const struct listed_case *c, char *out);
