/* SPDX-License-Identifier: Apache-2.0
 *
 * A dump to be analysed, as a descriptor: the file where it lies, or where it was compressed or comes as a stream, an
 * unlinked temporary file in TMPDIR, which goes with the process. Its map is for the process that analyses.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct dump_file {
    void *data; /* mapped, for reading; NULL if empty */
    size_t size;
};

int dump_file_map(int fd, struct dump_file *ret, struct err *e);
/* A file without a name in TMPDIR: its descriptor, or a negative error. */
int dump_file_temporary(struct err *e);

/* These bytes of a mapped dump were read: their pages no longer count as this process's memory, and are read again from
 * the file when they are needed. */
void dump_file_release(const void *data, size_t size);

/* fn hears from time to time, on any thread, how much was released in all passes over the dump. Of one
 * dump in a process. */
void dump_file_watch(const struct dump_file *f, void (*fn)(uint64_t done, uint64_t total));

/* A stream: fed in pieces, compressed or not (by its first bytes). folder: for the temporary file; -1: as
 * dump_file_temporary. A sixteenth of the volume stays free: -FAULT_FULL, as a small stream may unpack to a large one.
 */
struct dump_stream;
int dump_stream_new(int folder, struct dump_stream **ret, struct err *e);
int dump_stream_feed(struct dump_stream *s, const void *data, size_t size, struct err *e);
/* The file with what has come; the caller's. -FAULT_CORRUPT if a compressed stream ends too early. */
int dump_stream_end(struct dump_stream *s, int *ret_fd, struct err *e);
void dump_stream_free(struct dump_stream *s);
