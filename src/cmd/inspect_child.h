/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the process that analyses have in common.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "cmd/inspect.h"
#include "hprof/heap.h"
#include "inspect/dump_file.h"

/* What is to be shown of which dump. */
struct inspection {
    const struct inspect_view *view;
    const char *name;
    const struct dump_file *file;
    const struct heap_limits *limits;
    FILE *out;
};

/* How many are shown. */
unsigned inspection_rows(const struct inspect_view *v);

/* Takes the object; NULL: out of memory. */
int inspection_write_json(json_t *json, FILE *out, struct err *e);

/* An analysis that was kept (analysis.json) instead of a dump. */
bool inspection_is_analysis(const void *data, size_t size);

/* What grew from the first to the second: both heap dumps or analyses, or both thread dumps. Same output, view and
 * temporary file. */
int inspection_compare_heaps(const struct inspection i[2], struct err *e);
int inspection_compare_threads(const struct inspection i[2], struct err *e);

/* What inspect/evidence_report.h knows: one, or two class histograms. */
int inspection_evidence(const struct inspection *i, struct err *e);
int inspection_compare_histograms(const struct inspection i[2], struct err *e);

/* Says why what no kind knows can't be shown: what unpacks it, or what inspect reads. */
int inspection_refuse(const struct inspection *i, struct err *e);
