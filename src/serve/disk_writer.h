/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the bytes of a large upload on a thread while the next ones are received. Very large ones go past the page
 * cache (O_DIRECT), which they would fill: that costs less processor time, too. A few uploads at a time; the others
 * write by themselves. Where a file system has no O_DIRECT, it writes through the page cache.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk_writers;
struct disk_writer;

/* count: of writers at one time. NULL without memory. */
struct disk_writers *disk_writers_new(unsigned count);
void disk_writers_free(struct disk_writers *all); /* none is in use; NULL is fine */

/* One for a file that ends at `end`, where fd's position is; until disk_writer_free fd is the writer's alone. NULL: all
 * are in use, or there is no memory or no thread. */
struct disk_writer_file {
    int fd;
    uint64_t end;
    bool direct; /* past the page cache */
};
struct disk_writer *disk_writer_new(struct disk_writers *all, const struct disk_writer_file *file);

/* Takes a copy; waits while all buffers are full. -errno of a write before: nothing may be added after that. */
int disk_writer_add(struct disk_writer *w, const void *data, size_t size);

/* Where what is added next can be put, which spares the copy; *size is lowered to the room there, 1 at least. */
void *disk_writer_space(const struct disk_writer *w, size_t *size);

/* All that was added is in the file (not synced) when this returns 0. -errno of a write. */
int disk_writer_flush(struct disk_writer *w);

/* What was not flushed may be lost. fd is as it was given. NULL is fine. */
void disk_writer_free(struct disk_writer *w);

enum { DISK_WRITER_BUFFER = 256 * 1024, DISK_WRITER_BUFFERS = 3, DISK_WRITER_ALIGN = 4096 };
