/* SPDX-License-Identifier: Apache-2.0
 *
 * One decoder, which begins anew when it has to go back.
 */
#include "codec/packed_reader.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "codec/codec.h"

enum { PIECE = 128 * 1024, WINDOW_LOG = 27 };

int packed_reader_init(struct packed_reader *p, packed_source *read, void *ctx)
{
    assert(p && read);
    *p = (struct packed_reader){.read = read, .ctx = ctx, .in = malloc(PIECE)};
    return p->in ? 0 : -ENOMEM;
}

static void rewind_to_front(struct packed_reader *p)
{
    if (p->decoder)
        p->codec->decoder_free(p->decoder);
    p->decoder = NULL;
    p->size = 0;
    p->in_at = p->out_at = 0;
    p->failed = 0;
}

void packed_reader_done(struct packed_reader *p)
{
    rewind_to_front(p);
    free(p->in);
    p->in = NULL;
}

static int begin(struct packed_reader *p)
{
    p->codec = codec_of_content(p->data, p->size);
    if (p->codec == &CODEC_NONE)
        return -EBADMSG;
    if (p->codec->decoder_new(&p->decoder) < 0)
        return -ENOMEM;
    return p->codec->decoder_window ? p->codec->decoder_window(p->decoder, WINDOW_LOG) : 0;
}

/* 1; 0 at the end. */
static int fill(struct packed_reader *p)
{
    ssize_t n = p->read(p->ctx, p->in, PIECE, p->in_at);
    int r;

    if (n <= 0)
        return (int)n;
    p->data = p->in;
    p->size = (size_t)n;
    p->in_at += (uint64_t)n;
    return p->decoder || (r = begin(p)) == 0 ? 1 : r;
}

ssize_t packed_reader_next(struct packed_reader *p, void *to, size_t size)
{
    ssize_t n = 0;
    int r;

    assert(p && p->in && to && size > 0);
    if (p->failed)
        return p->failed;
    while (n == 0) {
        if (p->decoder && (n = p->codec->decode(p->decoder, &p->data, &p->size, to, size)) != 0)
            break;
        if ((r = fill(p)) <= 0)
            return r;
    }
    if (n < 0)
        return p->failed = n == -ENOMEM ? -ENOMEM : -EBADMSG;
    p->out_at += (uint64_t)n;
    return n;
}

ssize_t packed_reader_at(struct packed_reader *p, void *to, size_t size, uint64_t offset)
{
    size_t done = 0;
    ssize_t n;

    if (offset < p->out_at)
        rewind_to_front(p);
    while (p->out_at < offset) {
        uint64_t left = offset - p->out_at;

        if ((n = packed_reader_next(p, to, left < size ? (size_t)left : size)) <= 0)
            return n;
    }
    while (done < size && (n = packed_reader_next(p, (char *)to + done, size - done)) > 0)
        done += (size_t)n;
    return done > 0 || size == 0 ? (ssize_t)done : n;
}
