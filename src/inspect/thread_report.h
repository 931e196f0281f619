/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to why threads hang: deadlocks, queues behind locks, pools, equal stacks, CPU; several dumps compared. As
 * text and as JSON (schema "salvage.threads/1").
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "inspect/thread_compare.h"
#include "inspect/thread_groups.h"
#include "threads/thread_waits.h"

struct thread_report {
    const char *name;          /* of the file, borrowed; NULL none */
    struct thread_dumps dumps; /* the last is what the report is about */
    struct thread_waits waits;
    struct thread_groups pools, stacks;
    struct thread_comparison comparison;
    struct thread_groups unmoved; /* the same stack in all dumps, neither idle nor on a processor */
    uint32_t *busiest;            /* threads that used CPU, the most first */
    size_t busy_count;
    uint32_t doing[THREAD_ACTIVITIES]; /* threads */
};

struct thread_report_view {
    unsigned top; /* rows that are shown */
    bool threads; /* all stacks */
    bool bold;    /* a terminal */
};

/* -FAULT_FORMAT: there is no thread dump in it. */
int thread_report_make(struct thread_report *ret, const void *data, size_t size, struct err *e);
/* Of the dumps of two texts, the earlier one first: the report is about the last, and what has changed until then. */
int thread_report_compare(struct thread_report *ret, const void *const data[2], const size_t size[2], struct err *e);
void thread_report_done(struct thread_report *r);

void thread_report_print(const struct thread_report *r, const struct thread_report_view *view, FILE *out);
/* NULL without memory. The same bytes for the same text. */
json_t *thread_report_json(const struct thread_report *r, const struct thread_report_view *view);
