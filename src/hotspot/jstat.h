/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The columns of the JDK's jstat from a JVM's counters: the same names, formulas and rounding (the same
 * from JDK 11 to 25; JDK 8 has no CGC and CGCT). A column is "-" if the JVM's collector does not have its counters.
 * Reads no clock, and prints nothing.
 */
#pragma once

#include "base/buf.h"
#include "hotspot/hsperf.h"

enum jstat_view { JSTAT_GCUTIL, JSTAT_GC, JSTAT_GCCAPACITY, JSTAT_GCCAUSE, JSTAT_CLASS, JSTAT_VIEWS };

/* Their names, in this order. */
#define JSTAT_VIEW_NAMES "gcutil|gc|gccapacity|gccause|class"

/* Seconds since the JVM started: its tick counter up to JDK 24 (which stops while the JVM is stopped), else the wall
 * clock less its start time. NaN if unknown. */
double jstat_uptime(const struct hsperf *h, int64_t wall_ns);

/* Append a line. timestamp: a first column with the seconds since the start; NULL in a row: none. 0, -ENOMEM,
 * -EMSGSIZE. */
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
