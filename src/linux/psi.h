/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Pressure stall information, the text of memory.pressure and /proc/pressure/memory (Linux
 * Documentation/accounting/psi.rst), and the share of time that was stalled between two readings.
 */
#pragma once

#include <stdint.h>

struct psi_line {
    double avg10, avg60, avg300; /* per cent */
    uint64_t total_us;           /* stalled, since boot */
};

struct psi {
    struct psi_line some, full; /* full: all tasks at once. Zero if missing (cpu.pressure before Linux 5.13) */
};

/* 0, or -EINVAL without a complete "some" line (ret untouched). */
int psi_parse(const char *text, struct psi *ret);

/* The difference of two totals as a share of passed_us, 0 to 1. */
double psi_share(uint64_t before_us, uint64_t after_us, uint64_t passed_us);
