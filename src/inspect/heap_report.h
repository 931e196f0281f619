/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to what filled a heap: totals, the thread that ran out of memory, suspects, classes. As text and as JSON
 * (schema "salvage.analysis/1").
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "inspect/android_heaps.h"
#include "inspect/collections.h"
#include "inspect/heap_sets.h"
#include "inspect/heap_threads.h"
#include "inspect/loader_groups.h"
#include "inspect/merged_tree.h"
#include "inspect/references.h"
#include "inspect/suspects.h"
#include "inspect/waste.h"

struct heap_report {
    const char *name; /* of the dump, borrowed */
    uint64_t dump_bytes;
    struct heap *heap; /* owned */
    struct retained retained;
    struct heap_threads threads;
    struct suspects suspects;
    struct heap_sets sets;
    struct merged_tree tree;
    struct waste waste;
    struct collections collections;
    struct references references;
    struct loader_groups loader_groups;
    struct android_heaps android;
};

struct heap_report_view {
    unsigned top; /* classes and threads that are shown */
    bool threads; /* all stacks */
    bool bold;    /* a terminal */
};

/* Reads and analyses the dump at data, which must outlive the report. */
int heap_report_make(struct heap_report *ret, const void *data, size_t size, const struct heap_limits *limits,
                     struct err *e);
void heap_report_done(struct heap_report *r);

void heap_report_print(const struct heap_report *r, const struct heap_report_view *view, FILE *out);
/* NULL without memory. The same bytes for the same dump. */
json_t *heap_report_json(const struct heap_report *r, const struct heap_report_view *view);
