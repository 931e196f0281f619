/* SPDX-License-Identifier: Apache-2.0
 *
 * A forked child that reports to its parent over a pipe, in records of a fixed size: for work that may hang, crash or
 * needs another identity. It is killed when its parent dies, or by report_child_end.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct report_child {
    pid_t pid; /* 0: none, or reaped already */
    int from;  /* -1: none */
};

#define REPORT_CHILD_NONE                                                                                              \
    (struct report_child)                                                                                              \
    {                                                                                                                  \
        .from = -1                                                                                                     \
    }

/* Runs run(to, ctx) in a child, which exits with 0 when run returns. 0 or -errno. */
int report_child_start(struct report_child *c, void (*run)(int to, const void *ctx), const void *ctx);

/* In the child: writes one record, of at most PIPE_BUF bytes. Ignores that the parent may be gone. */
void report_child_write(int to, const void *record, size_t size);

/* In the parent: reads the next record. 1; 0: the child has ended; -ECHILD: it has crashed; -ETIMEDOUT: no record
 * before until_ms (monotonic); -ECANCELED: stop_fd became readable (-1: none). */
int report_child_read(struct report_child *c, void *record, size_t size, uint64_t until_ms, int stop_fd);

/* Kills and reaps the child, if there is one. */
void report_child_end(struct report_child *c);
