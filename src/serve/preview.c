/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection to the store for each preview: a sink belongs to one thread.
 */
#include "serve/preview.h"

#include <assert.h>
#include <errno.h>

#include "base/fault.h"
#include "base/mem.h"
#include "codec/codec.h"

enum { PIECE = 32 * 1024 };

struct decoding {
    const struct codec_ops *ops;
    void *decoder;
    struct preview *preview;
    size_t most;
    int failed;
};

DEFINE_CLEANUP(struct sink *, sink_close)

/* Breaks off by -ECANCELED once there is enough. */
static int take_bytes(void *ctx, const void *data, size_t size)
{
    struct decoding *d = ctx;
    char piece[PIECE];
    ssize_t n;

    while ((n = d->ops->decode(d->decoder, &data, &size, piece, sizeof(piece))) > 0) {
        size_t room = d->most - d->preview->text.size;

        if ((d->failed = buf_add(&d->preview->text, piece, (size_t)n < room ? (size_t)n : room)) < 0)
            return d->failed;
        if ((size_t)n > room) {
            d->preview->cut = true;
            return d->failed = -ECANCELED;
        }
    }
    return d->failed = (int)n;
}

static int read_object(struct sink *sink, const struct manifest *m, struct decoding *d, struct err *e)
{
    const struct object_reader reader = {.key = m->key, .fn = take_bytes, .ctx = d};
    int r = sink->ops->read(sink, &reader, e);

    if (d->failed == -ECANCELED)
        return 0;
    if (d->failed == -EBADMSG)
        return err_set(e, -FAULT_FORMAT, "%s is not what its manifest says", m->key);
    return d->failed == -ENOMEM ? err_set(e, -ENOMEM, "out of memory") : r;
}

int preview_load(struct serve *s, const struct manifest *m, size_t most, struct preview *ret, struct err *e)
{
    CLEANUP(sink_close_ptr) struct sink *sink = NULL;
    CLEANUP(preview_done) struct preview preview = {0};
    struct decoding d = {.preview = &preview, .most = most};
    struct codec codec;
    int r;

    assert(most <= PREVIEW_MAX && ret);
    if ((r = codec_parse(m->codec, &codec, e)) < 0 || (r = sink_open(s->config.store, &sink, e)) < 0)
        return r;
    d.ops = codec.ops;
    if ((r = d.ops->decoder_new(&d.decoder)) < 0)
        return err_set(e, r, "out of memory");
    r = read_object(sink, m, &d, e);
    d.ops->decoder_free(d.decoder);
    if (r < 0)
        return r;
    *ret = preview;
    preview = (struct preview){0};
    return 0;
}

void preview_done(struct preview *p)
{
    buf_done(&p->text);
    *p = (struct preview){0};
}
