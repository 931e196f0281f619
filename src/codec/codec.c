/* SPDX-License-Identifier: Apache-2.0
 *
 * The codecs' names and levels, and the first bytes of compressed files. Each codec is a file of its own.
 */
#include "codec/codec.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { CODEC_TEXT_MAX = 32 };

static const struct codec_ops *const CODECS[] = {&CODEC_ZSTD, &CODEC_GZIP, &CODEC_NONE};

static const struct codec_ops *find(const char *name, size_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(CODECS); i++)
        if (strlen(CODECS[i]->name) == size && memcmp(CODECS[i]->name, name, size) == 0)
            return CODECS[i];
    return NULL;
}

int codec_parse(const char *text, struct codec *ret, struct err *e)
{
    const char *colon = strchr(text, ':');
    const struct codec_ops *ops = find(text, colon ? (size_t)(colon - text) : strlen(text));
    uint64_t level;

    if (!ops)
        return err_set(e, -FAULT_USAGE, "unknown compression '%s': zstd[:LEVEL], gzip[:LEVEL] or none", text);
    level = (uint64_t)ops->level_default;
    if (colon && ops->level_max == 0)
        return err_set(e, -FAULT_USAGE, "compression '%s': %s has no levels", text, ops->name);
    if (colon && (text_parse_uint(colon + 1, (uint64_t)ops->level_max, &level) < 0 || level < (uint64_t)ops->level_min))
        return err_set(e, -FAULT_USAGE, "compression '%s': the levels of %s are %d to %d", text, ops->name,
                       ops->level_min, ops->level_max);
    *ret = (struct codec){.ops = ops, .level = (int)level};
    return 0;
}

const char *codec_format(const struct codec *c, char *out)
{
    if (c->ops->level_max == 0)
        snprintf(out, CODEC_TEXT_MAX, "%s", c->ops->name);
    else
        snprintf(out, CODEC_TEXT_MAX, "%s:%d", c->ops->name, c->level);
    return out;
}

const struct codec_ops *codec_of_content(const void *data, size_t size)
{
    static const unsigned char ZSTD[] = {0x28, 0xb5, 0x2f, 0xfd}, SKIPPABLE[] = {0x2a, 0x4d, 0x18}; /* RFC 8878, 3.1 */
    const unsigned char *head = data;

    if (size >= 4 && (memcmp(head, ZSTD, 4) == 0 || ((head[0] & 0xf0) == 0x50 && memcmp(head + 1, SKIPPABLE, 3) == 0)))
        return &CODEC_ZSTD;
    return size >= 3 && head[0] == 0x1f && head[1] == 0x8b && head[2] == 8 ? &CODEC_GZIP : &CODEC_NONE;
}

bool codec_is_compressed(const void *data, size_t size)
{
    static const struct {
        const char *bytes;
        size_t size;
    } MAGICS[] = {
        {"\x1f\x8b\x08", 3},     /* gzip, with its only method */
        {"\x28\xb5\x2f\xfd", 4}, /* zstd */
        {"\xfd\x37zXZ\0", 6},    /* xz */
        {"PK\x03\x04", 4},       /* zip */
    };
    const unsigned char *byte = data;

    for (size_t i = 0; i < ARRAY_SIZE(MAGICS); i++)
        if (size >= MAGICS[i].size && memcmp(data, MAGICS[i].bytes, MAGICS[i].size) == 0)
            return true;
    /* bzip2: "BZh", a level, and the digits of pi at the first block */
    return size >= 10 && memcmp(byte, "BZh", 3) == 0 && byte[3] >= '1' && byte[3] <= '9' &&
           memcmp(byte + 4, "1AY&SY", 6) == 0;
}
