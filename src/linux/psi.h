/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Pressure stall information, the text of memory.pressure and /proc/pressure/memory (Linux
 * Documentation/accounting/psi.rst), and how much of a time was stalled between two readings.
 */
#pragma once

#include <stdint.h>

struct psi_line {
    double avg10, avg60, avg300; /* per cent */
    uint64_t total_us;           /* stalled since the beginning */
};

struct psi {
    struct psi_line some, full; /* full: all tasks at once. Before Linux 5.13 a cpu.pressure has none: zero then */
};

/* Text ends with NUL. 0, or -EINVAL without a whole "some" line (ret untouched). */
int psi_parse(const char *text, struct psi *ret);

/* Per cent of passed_us, 0 to 100, between two totals. */
double psi_share(uint64_t before_us, uint64_t after_us, uint64_t passed_us);
