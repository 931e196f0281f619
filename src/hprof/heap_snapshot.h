/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Heap snapshots of V8 (Node.js, Chromium) as a histogram: heap-snapshot-generator.cc writes one object
 * with node_fields, node_types, an array of numbers for all nodes, one for all edges, and the strings last.
 */
#pragma once

#include <stddef.h>

#include <stdint.h>

#include "base/summary.h"

enum { HEAP_SNAPSHOT_ROWS_MAX = 1000 };

struct heap_snapshot {
    uint64_t nodes, bytes; /* of all */
    unsigned count;        /* rows */
};

/* The constructors with most bytes, at most `room` rows, the largest first. 0; -EBADMSG: it is none; -ENOMEM. */
int heap_snapshot_read(const void *data, size_t size, struct summary_row *row, unsigned room,
                       struct heap_snapshot *ret);

/* "12.3 MiB in 48124 nodes; most: Order 1.2 MiB (3000)"; largest: the first row. */
void heap_snapshot_sentence(const struct heap_snapshot *found, const struct summary_row *largest,
                            char out[SUMMARY_SENTENCE_MAX]);

/* That sentence and the constructors with most bytes; what has none stands
 * under its type: "(array)", "(string)". Sizes are shallow. 0; -EBADMSG: it is none; -ENOMEM.
 */
int heap_snapshot_summary(const void *data, size_t size, struct summary *ret);
