/* SPDX-License-Identifier: Apache-2.0
 *
 * gzip (RFC 1952): one member per block, with neither name nor time in its head, so that the same block gives the
 * same bytes. Decoding takes any number of members, and zero padding behind the last (tapes); anything else behind
 * it is damage here, although gunzip would only warn.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "codec/codec.h"

enum {
    WINDOW_BITS = 15 + 16, /* 32 KiB, in a gzip wrapper */
    MEMORY_LEVEL = 8,      /* zlib's default */
    WRAPPER_EXTRA = 18 - 6 /* compressBound() counts zlib's wrapper, not gzip's */
};

static void encoder_free(void *encoder)
{
    if (!encoder)
        return;
    deflateEnd(encoder);
    free(encoder);
}

static int encoder_new(int level, size_t block_size, void **ret)
{
    z_stream *z = calloc(1, sizeof(*z));

    (void)block_size;
    if (!z)
        return -ENOMEM;
    if (deflateInit2(z, level, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(z);
        return -ENOMEM;
    }
    *ret = z;
    return 0;
}

static ssize_t encode(void *encoder, const void *data, size_t size, void *out, size_t out_size)
{
    z_stream *z = encoder;

    if (size > UINT_MAX || deflateReset(z) != Z_OK)
        return -EIO;
    z->next_in = (z_const Bytef *)data;
    z->avail_in = (uInt)size;
    z->next_out = out;
    z->avail_out = out_size > UINT_MAX ? UINT_MAX : (uInt)out_size;
    return deflate(z, Z_FINISH) == Z_STREAM_END ? (ssize_t)z->total_out : -EIO;
}

static size_t bound(size_t size)
{
    return compressBound(size) + WRAPPER_EXTRA;
}

/* zconf.h: (1 << (windowBits + 2)) + (1 << (memLevel + 9)), and the state itself. */
static size_t encoder_memory(int level, size_t block_size)
{
    (void)level;
    (void)block_size;
    return (1u << (MAX_WBITS + 2)) + (1u << (MEMORY_LEVEL + 9)) + 8 * 1024;
}

struct decoder {
    z_stream stream;
    enum { AT_MEMBER, IN_MEMBER, AT_END, IN_PADDING } place; /* AT_MEMBER: before the first, AT_END: of any */
};

static void decoder_free(void *decoder)
{
    struct decoder *d = decoder;

    if (!d)
        return;
    inflateEnd(&d->stream);
    free(d);
}

static int decoder_new(void **ret)
{
    struct decoder *d = calloc(1, sizeof(*d));

    if (!d)
        return -ENOMEM;
    if (inflateInit2(&d->stream, WINDOW_BITS) != Z_OK) {
        free(d);
        return -ENOMEM;
    }
    *ret = d;
    return 0;
}

/* After a member: another one, or padding up to the end. */
static int go_on(struct decoder *d)
{
    z_stream *z = &d->stream;

    while (d->place != AT_MEMBER && z->avail_in > 0 && *z->next_in == 0) {
        d->place = IN_PADDING;
        z->next_in++;
        z->avail_in--;
    }
    if (z->avail_in == 0)
        return 0;
    if (d->place == IN_PADDING || inflateReset(z) != Z_OK)
        return -EBADMSG;
    d->place = IN_MEMBER;
    return 0;
}

/* Runs until the stream's input is used up or its output is full. */
static int inflate_all(struct decoder *d)
{
    z_stream *z = &d->stream;

    for (;;) {
        if (d->place != IN_MEMBER) {
            int r = go_on(d);

            if (r < 0 || d->place != IN_MEMBER)
                return r;
        }
        switch (inflate(z, Z_NO_FLUSH)) {
        case Z_OK:
            break;
        case Z_BUF_ERROR: /* no progress possible: not an error */
            return 0;
        case Z_STREAM_END:
            d->place = AT_END;
            break;
        case Z_MEM_ERROR:
            return -ENOMEM;
        default:
            return -EBADMSG;
        }
    }
}

static ssize_t decode(void *decoder, const void **data, size_t *size, void *out, size_t out_size)
{
    struct decoder *d = decoder;
    z_stream *z = &d->stream;
    uInt room = out_size > INT_MAX ? INT_MAX : (uInt)out_size;
    int r;

    z->next_out = out;
    z->avail_out = room;
    do { /* more than once only if the input is larger than zlib can count */
        uInt given = *size > UINT_MAX ? UINT_MAX : (uInt)*size;

        z->next_in = (z_const Bytef *)*data;
        z->avail_in = given;
        r = inflate_all(d);
        *data = z->next_in;
        *size -= given - z->avail_in;
    } while (r == 0 && z->avail_out > 0 && *size > 0);
    return r < 0 ? r : (ssize_t)(room - z->avail_out);
}

static int decoder_end(void *decoder)
{
    const struct decoder *d = decoder;

    return d->place == IN_MEMBER ? -EBADMSG : 0;
}

const struct codec_ops CODEC_GZIP = {
    .name = "gzip",
    .suffix = ".gz",
    .level_min = 1,
    .level_max = 9,
    .level_default = 6,
    .encoder_new = encoder_new,
    .encode = encode,
    .encoder_free = encoder_free,
    .bound = bound,
    .encoder_memory = encoder_memory,
    .decoder_new = decoder_new,
    .decode = decode,
    .decoder_end = decoder_end,
    .decoder_free = decoder_free,
};
