/* SPDX-License-Identifier: Apache-2.0
 *
 * Compression behind one const table. Encoding is by blocks: each becomes a frame of its own (gzip: a member), so that
 * blocks are encoded in parallel, and a resume can begin at any of them. Decoding is a stream, and accepts any input of
 * the format, by any compressor.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "codec/seektable.h"

struct codec_ops {
    const char *name;   /* "zstd" */
    const char *suffix; /* ".zst"; "" */
    int level_min, level_max, level_default;

    /* An encoder is used by one thread only. 0 or -ENOMEM. */
    int (*encoder_new)(int level, size_t block_size, void **ret);
    /* Makes one frame of one block; out has at least bound(size) bytes. Returns the frame's size, or -EIO, -ENOMEM. */
    ssize_t (*encode)(void *encoder, const void *data, size_t size, void *out, size_t out_size);
    void (*encoder_free)(void *encoder);
    size_t (*bound)(size_t size);
    size_t (*encoder_memory)(int level, size_t block_size); /* bytes, roughly */

    int (*decoder_new)(void **ret);
    /* Before the first byte: refuses input that wants a window of more than 2^log bytes (-E2BIG from decode). NULL: the
     * format has no window of the sender's choice. 0 or -ENOMEM. */
    int (*decoder_window)(void *decoder, unsigned log);
    /* Consumes from the input (moves data and size on), fills out; bytes made, 0 if it needs more input;
     * -EBADMSG, -ENOMEM. Not to be called again after a failure. */
    ssize_t (*decode)(void *decoder, const void **data, size_t *size, void *out, size_t out_size);
    /* 0 if the input may end here; -EBADMSG inside a frame. */
    int (*decoder_end)(void *decoder);
    void (*decoder_free)(void *decoder);
};

struct codec {
    const struct codec_ops *ops;
    int level; /* 0 for none */
};

extern const struct codec_ops CODEC_NONE, CODEC_ZSTD, CODEC_GZIP;

/* Parses "zstd", "zstd:3", "gzip:9", "none". -FAULT_USAGE. */
int codec_parse(const char *text, struct codec *ret, struct err *e);

/* "zstd:1" into out[32]; returns out. */
const char *codec_format(const struct codec *c, char *out);

/* The codec that undoes data, by its first bytes (4 are enough); CODEC_NONE if none of ours does. */
const struct codec_ops *codec_of_content(const void *data, size_t size);

/* Whether data is compressed already (gzip, zstd, xz, bzip2, zip), by its first bytes. */
bool codec_is_compressed(const void *data, size_t size);
