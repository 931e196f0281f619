/* SPDX-License-Identifier: Apache-2.0
 *
 * Without a table the object is one frame of unknown sizes, so both ways are the same code.
 */
#include "serve/plain_reader.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

enum {
    INPUT_BYTES = 1024 * 1024, /* a frame of ours (512 KiB, whatever it contains) is in it as a whole */
    STEP_BYTES = 128 * 1024,   /* read at once without a table */
    SCRATCH_BYTES = 16 * 1024,
    TABLE_MAX = 8 * 1024 * 1024, /* bytes: a million frames, half a TB of what we store */
    DRAIN_MAX = 4 * 1024 * 1024, /* plain bytes behind a range that are decoded for the frame's checksum */
};

struct plain_reader {
    struct plain_source source;
    int fd;       /* -1: another source */
    uint64_t end; /* of the frames, in the file */
    const struct codec_ops *codec;
    void *decoder;
    bool has_table;
    struct frames frames;
    size_t next;                    /* frame behind this one */
    uint64_t stored_left, raw_left; /* of this frame; raw_left UINT64_MAX: not known */
    uint64_t at;                    /* in the file, of what is read next */
    uint64_t left;                  /* to be handed out; UINT64_MAX: all */
    bool ends;
    const unsigned char *input; /* within buffer */
    size_t input_size;
    unsigned char buffer[INPUT_BYTES];
};

void plain_reader_free(struct plain_reader *p)
{
    if (!p)
        return;
    if (p->decoder)
        p->codec->decoder_free(p->decoder);
    frames_done(&p->frames);
    free(p);
}

DEFINE_CLEANUP(struct plain_reader *, plain_reader_free)

/* A table that does not add up to the file counts as none. */
static bool fits(const struct frames *f, uint64_t stored)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < f->count; i++)
        sum += f->frame[i].stored;
    return sum == stored;
}

static void read_table(struct plain_reader *p)
{
    unsigned char footer[SEEKTABLE_FOOTER_SIZE];
    CLEANUP_FREE unsigned char *table = NULL;
    uint64_t size;

    if (p->end < sizeof(footer) ||
        p->source.read(p->source.ctx, footer, sizeof(footer), p->end - sizeof(footer)) != (ssize_t)sizeof(footer) ||
        seektable_peek(footer, &size) < 0 || size > TABLE_MAX || size > p->end || !(table = malloc(size)) ||
        p->source.read(p->source.ctx, table, size, p->end - size) != (ssize_t)size ||
        seektable_decode(table, size, &p->frames) < 0)
        return;
    p->has_table = fits(&p->frames, p->end - size);
    if (p->has_table)
        p->end -= size;
    else
        frames_done(&p->frames);
}

static ssize_t read_file(void *ctx, void *data, size_t size, uint64_t at)
{
    return file_pread(*(const int *)ctx, data, size, at);
}

/* source NULL: fd. */
static int begin(const struct plain_source *source, int fd, uint64_t size, struct plain_reader **ret)
{
    CLEANUP(plain_reader_free_ptr) struct plain_reader *p = calloc(1, sizeof(*p));
    unsigned char head[4];
    ssize_t n;

    if (!p)
        return -ENOMEM;
    p->fd = fd;
    p->source = source ? *source : (struct plain_source){read_file, &p->fd};
    p->end = size;
    if ((n = p->source.read(p->source.ctx, head, sizeof(head), 0)) < 0)
        return (int)n;
    p->codec = codec_of_content(head, (size_t)n);
    if (p->codec == &CODEC_ZSTD)
        read_table(p);
    p->stored_left = p->end;
    p->raw_left = p->left = UINT64_MAX;
    *ret = TAKE_PTR(p);
    return 0;
}

int plain_reader_new(int fd, uint64_t size, struct plain_reader **ret)
{
    assert(fd >= 0 && ret);
    return begin(NULL, fd, size, ret);
}

int plain_reader_new_from(const struct plain_source *source, uint64_t size, struct plain_reader **ret)
{
    assert(source && source->read && ret);
    return begin(source, -1, size, ret);
}

const struct codec_ops *plain_reader_codec(const struct plain_reader *p)
{
    return p->codec;
}

bool plain_reader_seeks(const struct plain_reader *p, uint64_t *ret_size)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < p->frames.count; i++)
        sum += p->frames.frame[i].raw;
    if (p->has_table)
        *ret_size = sum;
    return p->has_table;
}

static int read_input(struct plain_reader *p, size_t want)
{
    ssize_t n;

    if (want > p->end - p->at)
        want = (size_t)(p->end - p->at);
    if (p->input_size > 0)
        memmove(p->buffer, p->input, p->input_size);
    p->input = p->buffer;
    if ((n = p->source.read(p->source.ctx, p->buffer + p->input_size, want, p->at)) != (ssize_t)want)
        return n < 0 ? (int)n : -EBADMSG; /* it was cut meanwhile */
    p->at += want;
    p->input_size += want;
    return 0;
}

/* zstd decodes a frame without a copy if it gets all of it at once, with room for all of what it makes. */
static int begin_frame(struct plain_reader *p)
{
    p->stored_left = p->frames.frame[p->next].stored;
    p->raw_left = p->frames.frame[p->next++].raw;
    if (p->input_size >= p->stored_left || p->stored_left > sizeof(p->buffer))
        return 0;
    return read_input(p, sizeof(p->buffer) - p->input_size);
}

/* To the frame that holds a byte; *ret_skip: how many of its bytes are before that. */
static int find_frame(struct plain_reader *p, uint64_t first, uint64_t *ret_skip)
{
    for (p->next = 0; p->next < p->frames.count && first >= p->frames.frame[p->next].raw; p->next++) {
        first -= p->frames.frame[p->next].raw;
        p->at += p->frames.frame[p->next].stored;
    }
    p->stored_left = p->raw_left = 0;
    *ret_skip = first;
    return p->next < p->frames.count ? begin_frame(p) : 0;
}

static int fill(struct plain_reader *p)
{
    return p->input_size > 0 || p->stored_left == 0 ? 0 : read_input(p, STEP_BYTES);
}

/* Decodes up to size bytes of this frame: bytes, 0 if it has to be called again, -errno. */
static ssize_t decode(struct plain_reader *p, void *out, size_t size)
{
    const void *data;
    size_t given, left;
    ssize_t n;
    int r = fill(p);

    if (r < 0)
        return r;
    data = p->input;
    given = left = p->input_size < p->stored_left ? p->input_size : (size_t)p->stored_left;
    if ((n = p->codec->decode(p->decoder, &data, &left, out, size)) < 0)
        return n;
    p->input = data;
    p->input_size -= given - left;
    p->stored_left -= given - left;
    if (n == 0 && given == left && p->stored_left > 0)
        return -EBADMSG; /* neither takes nor gives */
    return n;
}

/* Bytes of this frame, 0 at its end, which is checked. */
static ssize_t read_frame(struct plain_reader *p, void *out, size_t size)
{
    unsigned char none;
    ssize_t n = 0;

    if (size > p->raw_left)
        size = (size_t)p->raw_left;
    if (size == 0) { /* what is left is a checksum, or the end of an empty frame */
        out = &none;
        size = 1;
    }
    do {
        bool flushed = p->stored_left == 0;

        if ((n = decode(p, out, size)) < 0)
            return n;
        if (n > 0 && p->raw_left == 0)
            return -EBADMSG;
        if (n == 0 && flushed)
            break;
    } while (n == 0);
    if (n == 0 && (p->codec->decoder_end(p->decoder) < 0 || (p->has_table && p->raw_left > 0)))
        return -EBADMSG;
    if (p->raw_left != UINT64_MAX)
        p->raw_left -= (uint64_t)n;
    return n;
}

/* Bytes of this frame or the next ones; 0 at the end of all. */
static ssize_t read_any(struct plain_reader *p, void *out, size_t size)
{
    for (;;) {
        ssize_t n = read_frame(p, out, size);

        if (n != 0 || p->next >= p->frames.count)
            return n;
        if ((n = begin_frame(p)) < 0)
            return n;
    }
}

/* Decodes for the checksum alone. */
static int drain(struct plain_reader *p)
{
    unsigned char scratch[SCRATCH_BYTES];
    ssize_t n;

    if (p->ends)
        return (n = read_any(p, scratch, sizeof(scratch))) == 0 ? 0 : n < 0 ? (int)n : -EBADMSG;
    if (!p->has_table || p->raw_left > DRAIN_MAX)
        return 0;
    while ((n = read_frame(p, scratch, sizeof(scratch))) > 0)
        ;
    return (int)n;
}

static int skip(struct plain_reader *p, uint64_t size)
{
    unsigned char scratch[SCRATCH_BYTES];

    while (size > 0) {
        ssize_t n = read_any(p, scratch, size < sizeof(scratch) ? (size_t)size : sizeof(scratch));

        if (n <= 0)
            return n < 0 ? (int)n : -EBADMSG;
        size -= (uint64_t)n;
    }
    return 0;
}

int plain_reader_seek(struct plain_reader *p, uint64_t first, uint64_t size, bool ends)
{
    uint64_t before = first;
    int r;

    assert(!p->decoder);
    if (p->codec->decoder_new(&p->decoder) < 0)
        return -ENOMEM;
    if (p->codec->decoder_window && p->codec->decoder_window(p->decoder, PLAIN_WINDOW_LOG_MAX) < 0)
        return -ENOMEM;
    p->left = size;
    p->ends = ends;
    if (p->fd >= 0)
        posix_fadvise(p->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (p->has_table && (r = find_frame(p, first, &before)) < 0)
        return r;
    return skip(p, before);
}

ssize_t plain_reader_read(struct plain_reader *p, void *data, size_t size)
{
    size_t done = 0;
    int r;

    assert(p->decoder);
    if (size > p->left)
        size = (size_t)p->left;
    while (done < size) {
        ssize_t n = read_any(p, (unsigned char *)data + done, size - done);

        if (n < 0)
            return n;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    if (p->left == UINT64_MAX)
        return (ssize_t)done;
    if (done < size)
        return -EBADMSG; /* shorter than was promised */
    p->left -= done;
    if (p->left == 0 && done > 0 && (r = drain(p)) < 0)
        return r;
    return (ssize_t)done;
}
