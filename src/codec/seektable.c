/* SPDX-License-Identifier: Apache-2.0
 *
 * zstd's seekable format, written and read here: Debian does not package the library that comes with zstd. Also reads
 * tables with checksums (other tools write them), and ignores the checksums: the manifest has digests.
 */
#include "codec/seektable.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"

enum {
    HEAD_SIZE = 8, /* of a skippable frame: magic, size of what follows */
    ENTRY_SIZE = 8,
    CHECKSUM_SIZE = 4
};
#define SKIPPABLE_MAGIC 0x184D2A5Eu
#define SEEKABLE_MAGIC 0x8F92EAB1u
#define FLAG_CHECKSUMS 0x80u
#define FLAGS_RESERVED 0x7Cu /* have to be 0; the lowest two bits are unused, and may have any value */

static void put_u32(unsigned char *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(value >> (8 * i));
}

static uint32_t get_u32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int frames_reserve(struct frames *f, size_t need)
{
    int r = array_reserve(&f->frame, need, &f->capacity, sizeof(*f->frame), SEEKTABLE_FRAMES_MAX);

    return r == -E2BIG ? -EOVERFLOW : r;
}

int frames_add(struct frames *f, uint32_t stored, uint32_t raw)
{
    int r = frames_reserve(f, f->count + 1);

    if (r < 0)
        return r;
    f->frame[f->count++] = (struct frame){.stored = stored, .raw = raw};
    return 0;
}

void frames_done(struct frames *f)
{
    free(f->frame);
    *f = (struct frames){0};
}

size_t seektable_size(const struct frames *f)
{
    return HEAD_SIZE + f->count * ENTRY_SIZE + SEEKTABLE_FOOTER_SIZE;
}

void seektable_encode(const struct frames *f, void *out)
{
    unsigned char *p = out;

    put_u32(p, SKIPPABLE_MAGIC);
    put_u32(p + 4, (uint32_t)(seektable_size(f) - HEAD_SIZE));
    p += HEAD_SIZE;
    for (size_t i = 0; i < f->count; i++, p += ENTRY_SIZE) {
        put_u32(p, f->frame[i].stored);
        put_u32(p + 4, f->frame[i].raw);
    }
    put_u32(p, (uint32_t)f->count);
    p[4] = 0;
    put_u32(p + 5, SEEKABLE_MAGIC);
}

struct footer {
    size_t count;
    size_t entry_size;
};

static int footer_decode(const unsigned char *p, struct footer *ret)
{
    uint32_t count = get_u32(p);

    if (get_u32(p + 5) != SEEKABLE_MAGIC || (p[4] & FLAGS_RESERVED) || count > SEEKTABLE_FRAMES_MAX)
        return -EBADMSG;
    *ret = (struct footer){.count = count, .entry_size = ENTRY_SIZE + (p[4] & FLAG_CHECKSUMS ? CHECKSUM_SIZE : 0)};
    return 0;
}

static uint64_t table_size(const struct footer *f)
{
    return HEAD_SIZE + (uint64_t)f->count * f->entry_size + SEEKTABLE_FOOTER_SIZE;
}

int seektable_peek(const void *footer, uint64_t *ret_size)
{
    struct footer f;
    int r = footer_decode(footer, &f);

    if (r < 0)
        return r;
    *ret_size = table_size(&f);
    return 0;
}

int seektable_decode(const void *data, size_t size, struct frames *ret)
{
    CLEANUP(frames_done) struct frames frames = {0};
    const unsigned char *p = data;
    struct footer f;
    int r;

    if (size < HEAD_SIZE + SEEKTABLE_FOOTER_SIZE)
        return -EBADMSG;
    if ((r = footer_decode(p + size - SEEKTABLE_FOOTER_SIZE, &f)) < 0)
        return r;
    if (table_size(&f) != size || get_u32(p) != SKIPPABLE_MAGIC || get_u32(p + 4) != size - HEAD_SIZE)
        return -EBADMSG;
    if ((r = frames_reserve(&frames, f.count)) < 0)
        return r;
    p += HEAD_SIZE;
    for (size_t i = 0; i < f.count; i++, p += f.entry_size)
        frames.frame[i] = (struct frame){.stored = get_u32(p), .raw = get_u32(p + 4)};
    frames.count = f.count;
    *ret = frames;
    frames = (struct frames){0};
    return 0;
}
