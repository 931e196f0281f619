/* SPDX-License-Identifier: Apache-2.0
 *
 * Large arrays under one limit: beyond it an array lies in a temporary file, mapped, so that the kernel can write its
 * pages out. Not for small things: whole pages, a system call for each. Opens nothing: a sandboxed process can use it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* May be used by several threads. */
struct big_memory {
    uint64_t limit;     /* bytes that may lie in memory; 0: all */
    uint64_t used;      /* of these */
    int fd;             /* of a temporary file for the rest; borrowed; -1: there is none, the limit then is a ceiling */
    uint64_t file_size; /* what is in use of it, with holes */
};

/* Zero: an empty array, without memory. */
struct big_array {
    void *data;
    size_t size; /* bytes */
    bool is_file;
    uint64_t offset; /* in the file */
    struct big_memory *memory;
};

/* size bytes of zero. 0; -ENOMEM; -ENOSPC: the disk has not that much room; another -errno of the file's. */
int big_array_new(struct big_array *ret, struct big_memory *memory, size_t size);

/* More room, of zero, behind what there is; data may move. On failure it is as before. */
int big_array_grow(struct big_array *a, size_t size);

/* These bytes are no longer needed: the memory of whole pages goes back, the room stays. Of the file only what is a MiB
 * or more: each hole waits for the file system. */
void big_array_drop(struct big_array *a, size_t from, size_t size);
/* In the file there are zeros then, as another big_memory may be given it. */
void big_array_free(struct big_array *a);
