/* SPDX-License-Identifier: Apache-2.0
 *
 * What a piece of evidence says, in one sentence, and the classes that fill a heap. Each kind of evidence has a
 * function that makes one (ship/evidence_summary.h); the manifest keeps it. The texts are foreign: who shows them
 * escapes them.
 */
#pragma once

#include <stdint.h>

enum { SUMMARY_SENTENCE_MAX = 256, SUMMARY_ROWS_MAX = 5, SUMMARY_NAME_MAX = 160 };

struct summary_row {
    char name[SUMMARY_NAME_MAX]; /* "com.shop.Order", "byte[]" */
    uint64_t count, bytes;       /* objects, and all of them together */
};

/* All zero: nothing is known. */
struct summary {
    char sentence[SUMMARY_SENTENCE_MAX];      /* one line of valid UTF-8 without a full stop at its end; "" unknown */
    struct summary_row top[SUMMARY_ROWS_MAX]; /* the most bytes first */
    unsigned top_count;
};
