/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. zstd's seekable format (contrib/seekable_format/zstd_seekable_compression_format.md, 0.1.0): after the
 * data frames a skippable frame (magic 0x184D2A5E) with a table of their compressed and decompressed sizes (no
 * checksums), and a footer (number of frames, descriptor, magic 0x8F92EAB1). All little-endian.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct frame {
    uint32_t stored; /* compressed size, bytes */
    uint32_t raw;    /* decompressed size, bytes */
};

struct frames {
    struct frame *frame; /* owned */
    size_t count;
    size_t capacity;
};

enum { SEEKTABLE_FOOTER_SIZE = 9, SEEKTABLE_FRAMES_MAX = 0x8000000 };

int frames_add(struct frames *f, uint32_t stored, uint32_t raw); /* 0, -ENOMEM, -EOVERFLOW beyond the format */
void frames_done(struct frames *f);

size_t seektable_size(const struct frames *f);            /* of the encoded table, bytes */
void seektable_encode(const struct frames *f, void *out); /* seektable_size() bytes */

/* From the whole table (skippable frame's head to footer). 0, -EBADMSG, -ENOMEM. */
int seektable_decode(const void *data, size_t size, struct frames *ret);

/* From the last SEEKTABLE_FOOTER_SIZE bytes of an object: the size of the whole table. 0 or -EBADMSG. */
int seektable_peek(const void *footer, uint64_t *ret_size);
