/* SPDX-License-Identifier: Apache-2.0
 *
 * What an HTTP server answers, as a process sees it: from that process's network, so that 127.0.0.1 is its container's
 * own. In a child, with a time limit and a ceiling: the server is a stranger. Never by a proxy; follows no redirect.
 */
#pragma once

#include "base/err.h"
#include "linux/proc.h"

struct fetch {
    const char *url, *ca_file; /* ca_file: PEM; NULL: the system's */
    const struct proc *eyes;   /* the process in whose network */
    uint64_t limit_ms, ceiling;
};

/* Appends the body of a 2xx answer to fd, and may have done so in part when it fails. -EFBIG: longer than the ceiling;
 * -FAULT_REFUSED: another status; -FAULT_FORMAT: an empty answer, or none of HTTP; -ETIMEDOUT, -FAULT_UNREACHABLE,
 * -EPERM (without CAP_SYS_ADMIN no other network can be entered), -ESRCH. Only while there is one thread: forks. */
int fetch_to_file(const struct fetch *f, int fd, struct err *e);
