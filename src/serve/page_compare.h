/* SPDX-License-Identifier: Apache-2.0
 *
 * The two ways in which /-/compare compares two cases: by what was found out about their heaps, or by their class
 * histograms.
 */
#pragma once

#include "hotspot/class_histogram.h"
#include "inspect/comparison.h"
#include "serve/page_evidence.h"
#include "serve/page_heap.h"

struct compared_heaps {
    struct heap_answers answers[2];
    struct comparison comparison; /* borrows from them */
    struct err trouble;           /* why there is none; "": the cases have no heap dumps */
    bool known, locked;
};

/* Sets known where both heaps have an analysis, or an analysis or a digest each. In place: compared_heaps_done() in any
 * case. */
void compared_heaps_load(struct request *r, struct evidence *const v[2], struct compared_heaps *ret);
void compared_heaps_done(struct compared_heaps *c);

struct compared_histograms {
    struct histogram histogram[2];
    struct histogram_change *change; /* the largest first */
    size_t count;
};

/* -FAULT_NO_OBJECT: one has none; the store's faults; -ENOMEM. */
int compared_histograms_load(struct request *r, struct evidence *const v[2], struct compared_histograms *ret,
                             struct err *e);
void compared_histograms_done(struct compared_histograms *c);

void compared_histograms_sentence(struct html *h, const struct compared_histograms *c, const struct evidence *v);
void compared_histograms_write(struct html *h, const struct compared_histograms *c);
