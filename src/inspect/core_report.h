/* SPDX-License-Identifier: Apache-2.0
 *
 * A core as text and as JSON (schema "salvage.core/1").
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/backtrace.h"

struct core_view {
    const char *name;          /* of the file */
    unsigned top;              /* threads and modules that are shown */
    bool threads;              /* the stacks of all */
    bool bold;                 /* a terminal */
    const char *crash_log;     /* of a JVM, beside the core; NULL: not known */
    struct backtraces *traces; /* of the core; borrowed */
};

int core_report_print(const struct core_read *c, const struct core_view *v, FILE *out); /* 0, -ENOMEM */
json_t *core_report_json(const struct core_read *c, const struct core_view *v);         /* NULL without memory */
