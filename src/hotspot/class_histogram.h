/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Class histograms as text: HotSpot's (GC.class_histogram: "num #instances #bytes class name (module)")
 * and OpenJ9's, which has the same columns.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/summary.h"

enum { HISTOGRAM_NAME_MAX = 256, HISTOGRAM_ROWS_MAX = 20 * 1000 };

struct histogram_row {
    uint64_t instances, bytes;
    char name[HISTOGRAM_NAME_MAX]; /* as in Java: "java.lang.String[]"; cut if longer */
};

struct histogram {
    struct histogram_row *row; /* owned; the largest first, by bytes */
    size_t count, capacity;
    uint64_t instances, bytes; /* of all rows */
};

/* Lines that are no rows are passed over; what is beyond HISTOGRAM_ROWS_MAX, too. 0 or -ENOMEM; ret untouched then. */
int histogram_read(const char *text, size_t size, struct histogram *ret);
void histogram_done(struct histogram *h);

struct histogram_change {
    const struct histogram_row *before, *after; /* NULL: not there */
    int64_t bytes, instances;
};

/* Both by class, the largest change of bytes first; borrows the rows. *ret_changes is malloc'ed. 0 or -ENOMEM. */
int histogram_compare(const struct histogram *before, const struct histogram *after,
                      struct histogram_change **ret_changes, size_t *ret_count);

/* "1.2 GiB in 20102441 objects of 812 classes; most: byte[] 611.2 MiB" and the largest classes. 0; -EBADMSG: no row;
 * -ENOMEM. */
int histogram_summary(const void *data, size_t size, struct summary *ret);
