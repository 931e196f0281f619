/* SPDX-License-Identifier: Apache-2.0
 *
 * An HTTP request in the network namespace of a process: 127.0.0.1 is its container's loopback. A child sends it, with
 * a time limit and a ceiling, as the server is not trusted. Uses no proxy, follows no redirect.
 */
#pragma once

#include "base/err.h"
#include "linux/proc.h"

/* All borrowed. */
struct http_in_container {
    const char *url, *ca_file; /* ca_file: PEM; NULL: the system's */
    const struct proc *proc;   /* the process whose network is used */
    uint64_t limit_ms, ceiling;
};

/* Appends the body of a 2xx answer to fd; after a failure fd may have a part of it. -EFBIG: longer than the ceiling;
 * -FAULT_REFUSED: another status; -FAULT_FORMAT: an empty answer, or one that is not HTTP; -ETIMEDOUT,
 * -FAULT_UNREACHABLE, -EPERM (without CAP_SYS_ADMIN no other network can be entered), -ESRCH. Only while there is one
 * thread: forks. */
int http_in_container_get(const struct http_in_container *f, int fd, struct err *e);
