/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics as text: OpenMetrics 1.0. A family is begun once, all its samples follow; a label's value is foreign text.
 * The first failure (-ENOMEM, -EMSGSIZE) is kept in `result`, and nothing is added after it.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

#define OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_INFO };

struct openmetrics {
    struct buf text; /* owned */
    const char *family;
    enum metric_type type;
    int result;
};

/* name: "salvage_shipped_bytes"; with a unit it must end with it ("bytes"; NULL: none). A counter's samples get
 * "_total", an info's "_info". */
void openmetrics_family(struct openmetrics *m, const char *name, enum metric_type type, const char *unit,
                        const char *help);

/* label NULL: none. */
void openmetrics_uint(struct openmetrics *m, const char *label, const char *value_of_label, uint64_t value);
void openmetrics_real(struct openmetrics *m, const char *label, const char *value_of_label, double value);

/* Seconds since 1970 of a wall clock's ns. */
void openmetrics_time(struct openmetrics *m, const char *label, const char *value_of_label, int64_t wall_ns);

/* "# EOF". Returns the first failure, or 0. */
int openmetrics_end(struct openmetrics *m);
void openmetrics_done(struct openmetrics *m);

/* What every process of ours has: the build, the start, its events, and what it shipped, by namespace. */
void openmetrics_common(struct openmetrics *m);
