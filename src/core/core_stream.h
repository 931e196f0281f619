/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A core that passes once, from front to back: keeps headers and notes, then the top of the stack of the
 * thread that died and the first page of each module, and forgets the rest. In a core whose notes come behind the
 * memory (gdb's) it has no stack. A core of more than 65534 segments counts them at its end and has no sentence.
 */
#pragma once

#include <stddef.h>

#include "base/summary.h"

struct core_stream;

int core_stream_new(struct core_stream **ret); /* 0, -ENOMEM */
void core_stream_free(struct core_stream *s);

/* The next bytes, of any size. 0, -ENOMEM. */
int core_stream_feed(struct core_stream *s, const void *data, size_t size);

/* After the last bytes. 0; -FAULT_FORMAT: no core that we can read; -ENOMEM. */
int core_stream_summary(const struct core_stream *s, struct summary *ret);
