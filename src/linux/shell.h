/* SPDX-License-Identifier: Apache-2.0
 *
 * The output of a command line: /bin/sh -c, or our own sh where there is none. In a process group of its own, of which
 * nothing is left when its time is up. Its standard error is ours.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct shell {
    const char *command;
    char *const *environment;          /* NULL: our own */
    const char *const (*variables)[2]; /* name and value, beside it */
    size_t variable_count;
    uint64_t limit_ms, ceiling; /* of the output */
};

/* Appends what it wrote to fd, also when it fails. It is over when it has ended and nobody has its output open any
 * more. -FAULT_REFUSED: it ended with another status than 0; -ETIMEDOUT: it was ended, and all of its group; -EFBIG:
 * the same because it wrote more than the ceiling, of which it has so much. Only while there is one thread: forks. */
int shell_to_file(const struct shell *s, int fd, struct err *e);
