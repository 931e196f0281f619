/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts by name, for classes, methods and causes: a bounded number of names, the rest in one sum.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { JFR_NAMES_MAX = 4096, JFR_NAME_MAX = 160 };

struct jfr_count {
    char name[JFR_NAME_MAX];
    uint64_t count, weight;
};

struct jfr_counts {
    struct jfr_count *row; /* in the order of their first appearance, until they are sorted; owned */
    uint16_t *slots;       /* number + 1 of a row; owned */
    size_t count;
    uint64_t total, weight; /* of all, those without a row too */
};

/* name is cut to JFR_NAME_MAX - 1 bytes. 0 or -ENOMEM. */
int jfr_counts_add(struct jfr_counts *c, const char *name, uint64_t weight);
/* By weight, then by count, the largest first. Nothing is added afterwards. */
void jfr_counts_sort(struct jfr_counts *c);
void jfr_counts_done(struct jfr_counts *c);
