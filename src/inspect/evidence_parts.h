/* SPDX-License-Identifier: Apache-2.0
 *
 * What the reports of small evidence (inspect/evidence_report.h) have in common: a fact becomes a field of the JSON and
 * a line of the text.
 */
#pragma once

#include <stdint.h>

#include "base/summary.h"
#include "hotspot/class_histogram.h"
#include "inspect/evidence_report.h"

struct evidence_writer {
    struct evidence_report *to;
    const struct evidence_view *view;
    int failed; /* the first error */
};

/* Texts are foreign; NULL or "" is left out. */
void evidence_fact(struct evidence_writer *w, const char *field, const char *head, const char *text);
void evidence_field(struct evidence_writer *w, const char *field, json_t *value); /* takes it; NULL: out of memory */

/* A line of the text alone. head "": it belongs to the line before. */
void evidence_line(struct evidence_writer *w, const char *head, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* " · words" at the end of the first line, or its beginning. */
void evidence_title(struct evidence_writer *w, const char *words);
void evidence_end_title(struct evidence_writer *w);

/* The sentence, in both. */
void evidence_sentence(struct evidence_writer *w, const char *sentence);

/* "classes", the largest first. */
void evidence_classes(struct evidence_writer *w, const struct summary_row *row, size_t count);

/* --- the kinds: 0, or -EBADMSG, -ENOMEM ----------------------------------------------------------------------------
 */

int crash_log_report(struct evidence_writer *w, const void *data, size_t size);
int histogram_report(struct evidence_writer *w, const void *data, size_t size);
int snapshot_report(struct evidence_writer *w, const void *data, size_t size);
int kill_report(struct evidence_writer *w, const void *data, size_t size);
int jvm_end_report(struct evidence_writer *w, const void *data, size_t size);
int manifest_report(struct evidence_writer *w, const void *data, size_t size);
int histograms_report(struct evidence_writer *w, const struct histogram h[2], const char *const name[2]);
