/* SPDX-License-Identifier: Apache-2.0
 *
 * The state of a target in a dry run, as a line, as JSON (schema salvage.guard-dry-run/1), or as rows of a table. Each
 * function appends to a buffer. 0 or -ENOMEM.
 */
#pragma once

#include "base/buf.h"
#include "guard/dry_run.h"

struct dry_run_view {
    const struct target *target; /* borrowed */
    struct reading reading;      /* of the last poll */
    bool polled, gone;
    enum condition_verdict verdict[RULE_CONDITIONS_MAX];
    enum rule_answer answer;
    char why[RULE_WHY_MAX]; /* why the rules answered so; "": no reason */
    pid_t victim;           /* the process of the last case */
    int64_t triggered_ns;   /* when the last case began, wall clock; 0: never */
    char triggered_by[RULE_WHY_MAX];
    uint64_t limit; /* the lowest of all levels, as last printed */
    uint64_t printed_ms;
};

/* The size of the terminal: what does not fit is cut. */
struct dry_run_screen {
    unsigned columns, rows;
    bool colours;
};

int dry_run_print_line(const struct dry_run_config *c, const struct dry_run_view *v, struct buf *to);

/* notices: which kernel notices work on this machine; NULL: unknown. */
int dry_run_print_json(const struct dry_run_config *c, const struct dry_run_view *v, const char *notices,
                       struct buf *to);

struct dry_run_table {
    struct dry_run_screen screen;
    const struct dry_run_view *const *views;
    size_t count;
    const char *note; /* a sentence below the table; "" */
};

/* *ret_rows: how many rows were appended. */
int dry_run_print_table(const struct dry_run_config *c, const struct dry_run_table *table, struct buf *to,
                        unsigned *ret_rows);
