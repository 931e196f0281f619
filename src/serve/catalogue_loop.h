/* SPDX-License-Identifier: Apache-2.0
 *
 * Crash loops: which cases fold into one row.
 */
#pragma once

#include "serve/catalogue_index.h"

/* How far a case may be from the next of its loop. */
#define LOOP_GAP_NS (INT64_C(6) * 3600 * 1000000000)

/* What cases of one loop have in common; texts borrowed. A case without a workload is a loop by itself. */
struct loop_series {
    const char *namespace, *workload, *container, *cause;
};

/* The case, whose row is complete, becomes part of a loop. */
int loop_join(struct index *x, int64_t id, int64_t time_ns, const struct loop_series *series, struct err *e);

/* The case leaves its loop, if it has one: before its row is removed or its time changes. A loop that loses a case in
 * the middle stays one. */
int loop_leave(struct index *x, int64_t id, struct err *e);
