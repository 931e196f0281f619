/* SPDX-License-Identifier: Apache-2.0
 *
 * What tools put before a line of the kernel log when they save it: dmesg with its options, journalctl, syslog daemons,
 * serial consoles, hypervisors, pastes. Foreign bytes. Looks at one line, and at no clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "oom/logdate.h"

struct logprefix {
    const char *text; /* what the kernel wrote; in the line */
    bool found;       /* there was something before it */
    bool foreign;     /* the line says that another program than the kernel wrote it */
    bool stamped;     /* usec is known: the kernel's own clock, from about the boot */
    uint64_t usec;
    bool dated; /* date is known */
    struct logdate date;
};

/* line ends with NUL and has no new line. */
void logprefix_read(const char *line, struct logprefix *ret);
