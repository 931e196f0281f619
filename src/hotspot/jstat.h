/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What the JDK's jstat shows of a JVM's counters: the same columns, formulas and roundings (its
 * definitions are the same from JDK 11 to 25; JDK 8's lack CGC and CGCT). A column whose counters a JVM doesn't have,
 * as each collector has its own, is "-". Reads counters, keeps no time, and prints nothing.
 */
#pragma once

#include "base/buf.h"
#include "hotspot/hsperf.h"

enum jstat_view { JSTAT_GCUTIL, JSTAT_GC, JSTAT_GCCAPACITY, JSTAT_GCCAUSE, JSTAT_CLASS, JSTAT_VIEWS };

/* The names of them, in their order. */
#define JSTAT_VIEW_NAMES "gcutil|gc|gccapacity|gccause|class"

/* Seconds since the JVM began. Up to JDK 24 it keeps a clock of its own, which stands still while it does; later ones
 * are held against the wall clock. NaN if there is neither. */
double jstat_uptime(const struct hsperf *h, int64_t wall_ns);

/* Append a line. timestamp: a first column with the seconds (a NULL for the row: none). 0, -ENOMEM, -EMSGSIZE. */
int jstat_header(enum jstat_view view, bool timestamp, struct buf *ret);
int jstat_row(enum jstat_view view, const struct hsperf *h, const double *timestamp, struct buf *ret);

/* The same as one object on one line: numbers as the columns have them, null for "-". */
struct jstat_sample {
    const struct hsperf *counters;
    int pid;
    int64_t wall_ns;
    double uptime; /* seconds; NaN: unknown */
};
int jstat_json(enum jstat_view view, const struct jstat_sample *s, struct buf *ret);
