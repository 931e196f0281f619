/* SPDX-License-Identifier: Apache-2.0
 *
 * What is inside a compressed file (zstd or gzip, by its first bytes), by offsets: forward at the price of what is
 * skipped, backward at that of all from the front. Bounded memory; a window of at most 128 MiB.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct codec_ops;

/* The compressed bytes from `offset` on: bytes read, 0 at the end, or a negative error. */
typedef ssize_t packed_source(void *ctx, void *to, size_t size, uint64_t offset);

struct packed_reader {
    packed_source *read;
    void *ctx;
    const struct codec_ops *codec; /* NULL: not begun */
    void *decoder;
    unsigned char *in;
    const void *data; /* in `in`, not decoded yet */
    size_t size;
    uint64_t in_at, out_at; /* offsets of the next bytes */
    int failed;             /* what the decoder said; 0 */
};

/* 0 or -ENOMEM. */
int packed_reader_init(struct packed_reader *p, packed_source *read, void *ctx);
void packed_reader_done(struct packed_reader *p);

/* The next plain bytes, one or more; 0 at the end; -EBADMSG: it is damaged, or not compressed; -ENOMEM, or the source's
 * error. */
ssize_t packed_reader_next(struct packed_reader *p, void *to, size_t size);

/* Plain bytes from `offset` on, fewer at the end only. As above. */
ssize_t packed_reader_at(struct packed_reader *p, void *to, size_t size, uint64_t offset);
