/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a command line and collects its output: by /bin/sh -c, or by our own sh if there is none. In a new process
 * group, which is killed when its time is up. Its standard error is ours.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct shell {
    const char *command;
    char *const *environment;          /* NULL: our own */
    const char *const (*variables)[2]; /* name and value, added to the environment */
    size_t variable_count;
    uint64_t limit_ms, ceiling; /* time, and bytes of output */
};

/* Appends the output to fd, also on failure. Returns when the shell has ended and all processes have closed its output.
 * -FAULT_REFUSED: it ended with a status other than 0; -ETIMEDOUT: its process group was killed; -EFBIG: the same,
 * because it wrote more than the ceiling; the output is cut there. Forks: only while there is one thread. */
int shell_to_file(const struct shell *s, int fd, struct err *e);
