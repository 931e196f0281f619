/* SPDX-License-Identifier: Apache-2.0
 *
 * The seek table is read from the object's end. A run of blocks is one range.
 */
#include "inspect/frame_source.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "codec/codec.h"

enum { PLAIN_BLOCK = 512 * 1024, TABLE_MAX = 8 * 1024 * 1024, HEAD = 4 };

struct frame_reader {
    const struct frame_source *source;
    struct sink *sink; /* of a store */
    void *decoder;
    unsigned char *stored, *plain; /* a run as it is stored; one block */
    size_t stored_size, stored_capacity;
};

void frame_source_done(struct frame_source *s)
{
    frames_done(&s->frames);
    free(s->offset);
    *s = (struct frame_source){.fd = -1};
}

struct collected {
    unsigned char *data;
    size_t size, capacity;
};

static int collect(void *ctx, const void *data, size_t size)
{
    struct collected *c = ctx;

    if (c->size == c->capacity)
        return -ECANCELED; /* a server without ranges sends more */
    if (size > c->capacity - c->size)
        size = c->capacity - c->size;
    memcpy(c->data + c->size, data, size);
    c->size += size;
    return 0;
}

/* Exactly size bytes from `at`. */
static int read_at(const struct frame_source *s, struct sink *sink, uint64_t at, struct collected *to, struct err *e)
{
    const struct object_reader reader = {
        .key = s->key, .offset = at, .limit = to->capacity, .known = &s->known, .fn = collect, .ctx = to};
    ssize_t n;
    int r;

    to->size = 0;
    if (s->fd >= 0) {
        if ((n = file_pread(s->fd, to->data, to->capacity, at)) < 0)
            return err_set(e, (int)n, "it can't be read: %s", strerror((int)-n));
        to->size = (size_t)n;
    } else if ((r = sink->ops->read(sink, &reader, e)) < 0 && to->size < to->capacity) {
        return r;
    }
    return to->size == to->capacity ? 0 : err_set(e, -FAULT_CHANGED, "it was cut while it was read");
}

/* Blocks of one size, which a map can hold. */
static bool is_even(const struct frames *f)
{
    uint32_t block = f->count > 0 ? f->frame[0].raw : 0;

    if (block == 0 || block % BLOCK_ALIGNMENT != 0 || block > BLOCK_BYTES_MAX)
        return false;
    for (size_t i = 0; i < f->count; i++)
        if (f->frame[i].stored > 2 * block || (i + 1 < f->count && f->frame[i].raw != block))
            return false;
    return f->frame[f->count - 1].raw <= block;
}

/* 1 if the table is there, is even and adds up. */
static int use_table(struct frame_source *s, const struct collected *table)
{
    uint64_t at = 0;

    if (seektable_decode(table->data, table->size, &s->frames) < 0)
        return 0;
    if (!is_even(&s->frames))
        return 0;
    if (!(s->offset = malloc(s->frames.count * sizeof(*s->offset))))
        return -ENOMEM;
    s->geometry = (struct block_geometry){.block_bytes = s->frames.frame[0].raw};
    for (size_t i = 0; i < s->frames.count; i++) {
        s->offset[i] = at;
        at += s->frames.frame[i].stored;
        s->geometry.size += s->frames.frame[i].raw;
    }
    s->blocks = s->frames.count;
    return at + table->size == s->stored_bytes;
}

static int read_table(struct frame_source *s, struct sink *sink, struct err *e)
{
    unsigned char footer[SEEKTABLE_FOOTER_SIZE];
    struct collected end = {footer, 0, sizeof(footer)}, table = {0};
    CLEANUP_FREE unsigned char *data = NULL;
    uint64_t size;
    int r;

    if (s->stored_bytes < sizeof(footer))
        return 0;
    if ((r = read_at(s, sink, s->stored_bytes - sizeof(footer), &end, e)) < 0)
        return r;
    if (seektable_peek(footer, &size) < 0 || size > TABLE_MAX || size > s->stored_bytes)
        return 0;
    if (!(data = malloc(size)))
        return err_set(e, -ENOMEM, "out of memory");
    table = (struct collected){data, 0, size};
    if ((r = read_at(s, sink, s->stored_bytes - size, &table, e)) < 0)
        return r;
    r = use_table(s, &table);
    return r < 0 ? err_set(e, r, "out of memory") : r;
}

static int begin(struct frame_source *s, struct sink *sink, struct err *e)
{
    unsigned char head[HEAD];
    struct collected first = {head, 0, s->stored_bytes < HEAD ? (size_t)s->stored_bytes : HEAD};
    const struct codec_ops *codec;
    int r = first.capacity > 0 ? read_at(s, sink, 0, &first, e) : 0;

    if (r < 0)
        return r;
    codec = codec_of_content(head, first.size);
    if (codec == &CODEC_ZSTD)
        return read_table(s, sink, e);
    s->geometry = (struct block_geometry){s->stored_bytes, PLAIN_BLOCK}; /* as it is */
    s->blocks = (s->stored_bytes + PLAIN_BLOCK - 1) / PLAIN_BLOCK;
    return codec == &CODEC_NONE && s->blocks > 0;
}

static int finish(int r, struct frame_source *s, struct frame_source *ret)
{
    if (r > 0)
        *ret = *s;
    else
        frame_source_done(s);
    return r;
}

int frame_source_of_file(int fd, struct frame_source *ret, struct err *e)
{
    struct frame_source s = {.fd = fd};
    struct stat st;

    assert(fd >= 0 && ret);
    if (fstat(fd, &st) < 0)
        return err_set(e, -errno, "%s", strerror(errno));
    s.stored_bytes = (uint64_t)st.st_size;
    return finish(begin(&s, NULL, e), &s, ret);
}

int frame_source_of_object(const struct sink_config *config, struct sink *sink, const char *key,
                           struct frame_source *ret, struct err *e)
{
    struct frame_source s = {.fd = -1, .config = config, .key = key};
    int r;

    assert(config && sink && key && ret);
    if ((r = sink->ops->stat(sink, key, &s.known, e)) < 0)
        return r;
    s.stored_bytes = s.known.size;
    return finish(begin(&s, sink, e), &s, ret);
}

void frame_reader_free(struct frame_reader *r)
{
    if (!r)
        return;
    sink_close(r->sink);
    if (r->decoder)
        CODEC_ZSTD.decoder_free(r->decoder);
    free(r->stored);
    free(r->plain);
    free(r);
}

int frame_reader_new(const struct frame_source *s, struct frame_reader **ret, struct err *e)
{
    struct frame_reader *r = calloc(1, sizeof(*r));
    int result = -ENOMEM;

    assert(s && ret);
    if (r) {
        r->source = s;
        r->plain = malloc(s->geometry.block_bytes);
        result = r->plain && (s->frames.count == 0 || CODEC_ZSTD.decoder_new(&r->decoder) == 0) ? 0 : -ENOMEM;
    }
    if (result < 0)
        err_set(e, result, "out of memory");
    else if (s->fd < 0)
        result = sink_open(s->config, &r->sink, e);
    if (result < 0) {
        frame_reader_free(r);
        return result;
    }
    *ret = r;
    return 0;
}

static uint64_t plain_size(const struct frame_source *s, uint64_t block)
{
    uint64_t at = block * s->geometry.block_bytes, left = s->geometry.size - at;

    return left < s->geometry.block_bytes ? left : s->geometry.block_bytes;
}

/* One frame, which must be what the table says. */
static int decode(struct frame_reader *r, const void *data, size_t size, uint64_t raw)
{
    size_t made = 0;
    unsigned char more;

    while (size > 0 || made < raw) {
        size_t before = size;
        ssize_t n = CODEC_ZSTD.decode(r->decoder, &data, &size, made < raw ? r->plain + made : &more,
                                      made < raw ? (size_t)raw - made : 1);

        if (n < 0 || (n > 0 && made == raw) || (n == 0 && size == before))
            return n == -ENOMEM ? -ENOMEM : -EBADMSG;
        made += (size_t)n;
    }
    return CODEC_ZSTD.decoder_end(r->decoder);
}

static int take_blocks(struct frame_reader *r, const struct block_run *run, struct err *e)
{
    const struct frame_source *s = r->source;
    const unsigned char *p = r->stored;
    int result = 0;

    for (uint64_t block = run->first; result == 0 && block < run->first + run->count; block++) {
        size_t raw = (size_t)plain_size(s, block), stored = s->frames.count > 0 ? s->frames.frame[block].stored : raw;

        if (s->frames.count > 0 && (result = decode(r, p, stored, raw)) < 0)
            return err_set(e, result == -ENOMEM ? -ENOMEM : -FAULT_CORRUPT, "it can't be decompressed: it is damaged");
        if ((result = run->take(run->ctx, block, s->frames.count > 0 ? r->plain : p, raw)) < 0)
            return err_set(e, result, "no memory for the blocks of the dump: %s", strerror(-result));
        p += stored;
    }
    return 0;
}

int frame_reader_read(struct frame_reader *r, const struct block_run *run, struct err *e)
{
    const struct frame_source *s = r->source;
    uint64_t last = run->first + run->count - 1, from, size;
    struct collected to;
    int result;

    assert(run->count > 0 && run->count <= BLOCK_RUN_MAX && last < s->blocks && run->take);
    if (s->frames.count > 0) {
        from = s->offset[run->first];
        size = s->offset[last] + s->frames.frame[last].stored - from;
    } else {
        from = run->first * s->geometry.block_bytes;
        size = last * s->geometry.block_bytes + plain_size(s, last) - from;
    }
    if (size > r->stored_capacity) {
        free(r->stored);
        r->stored_capacity = 0;
        if (!(r->stored = malloc(size)))
            return err_set(e, -ENOMEM, "out of memory");
        r->stored_capacity = size;
    }
    to = (struct collected){r->stored, 0, size};
    if ((result = read_at(s, r->sink, from, &to, e)) < 0)
        return result;
    return take_blocks(r, run, e);
}
