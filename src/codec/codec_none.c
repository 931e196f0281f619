/* SPDX-License-Identifier: Apache-2.0
 *
 * No compression: a frame is the block itself. Has no state.
 */
#include <errno.h>
#include <string.h>

#include "codec/codec.h"

static int encoder_new(int level, size_t block_size, void **ret)
{
    (void)level;
    (void)block_size;
    *ret = NULL;
    return 0;
}

static ssize_t encode(void *encoder, const void *data, size_t size, void *out, size_t out_size)
{
    (void)encoder;
    if (out_size < size)
        return -EIO;
    if (size > 0)
        memcpy(out, data, size);
    return (ssize_t)size;
}

static size_t bound(size_t size)
{
    return size;
}

static size_t encoder_memory(int level, size_t block_size)
{
    (void)level;
    (void)block_size;
    return 0;
}

static int decoder_new(void **ret)
{
    *ret = NULL;
    return 0;
}

static ssize_t decode(void *decoder, const void **data, size_t *size, void *out, size_t out_size)
{
    size_t n = *size < out_size ? *size : out_size;

    (void)decoder;
    if (n == 0)
        return 0;
    memcpy(out, *data, n);
    *data = (const char *)*data + n;
    *size -= n;
    return (ssize_t)n;
}

static int decoder_end(void *decoder)
{
    (void)decoder;
    return 0;
}

static void nothing_to_free(void *state)
{
    (void)state;
}

const struct codec_ops CODEC_NONE = {
    .name = "none",
    .suffix = "",
    .encoder_new = encoder_new,
    .encode = encode,
    .encoder_free = nothing_to_free,
    .bound = bound,
    .encoder_memory = encoder_memory,
    .decoder_new = decoder_new,
    .decode = decode,
    .decoder_end = decoder_end,
    .decoder_free = nothing_to_free,
};
