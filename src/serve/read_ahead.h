/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads ahead of a slow consumer on a thread of its own, a few blocks and no more.
 */
#pragma once

#include <sys/types.h>

struct read_ahead;

/* source: fills data as far as it can; bytes, 0 at the end, -errno. Called on the thread alone from here on until
 * read_ahead_free. -ENOMEM, -EAGAIN: no thread; then nothing was called. */
int read_ahead_new(ssize_t (*source)(void *ctx, void *data, size_t size), void *ctx, struct read_ahead **ret);

/* As source; what was read before a failure comes first. */
ssize_t read_ahead_read(struct read_ahead *a, void *data, size_t size);

/* Waits until source returns. */
void read_ahead_free(struct read_ahead *a);

enum { READ_AHEAD_BLOCK = 512 * 1024, READ_AHEAD_BLOCKS = 3 };
