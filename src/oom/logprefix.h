/* SPDX-License-Identifier: Apache-2.0
 *
 * The prefixes that tools put before a line of a saved kernel log: dmesg with its options, journalctl, syslog
 * daemons, serial consoles, hypervisors, quotations. Foreign bytes. Parses one line, and reads no clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "oom/logdate.h"

struct logprefix {
    const char *text; /* the kernel's text; points into the line */
    bool found;       /* there is a prefix */
    bool foreign;     /* another program than the kernel wrote the line */
    bool stamped;     /* usec is known: the kernel's clock, about since boot */
    uint64_t usec;
    bool dated; /* date is known */
    struct logdate date;
};

/* line: NUL-terminated, without a new line. */
void logprefix_read(const char *line, struct logprefix *ret);
