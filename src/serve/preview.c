/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection to the store for each preview: a sink belongs to one thread.
 */
#include "serve/preview.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>

#include "base/fault.h"
#include "base/mem.h"
#include "codec/codec.h"

/* Each holds its text, and the page that is made of it: what all callers together may take. */
enum { PIECE = 32 * 1024, PREVIEWS_MAX = 16, WINDOW_LOG = 23 };

static atomic_uint previews;

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
    if (d->failed == -E2BIG)
        return err_set(e, -FAULT_FORMAT, "it was compressed with a window of more than 8 MiB: download it");
    return d->failed == -ENOMEM ? err_set(e, -ENOMEM, "out of memory") : r;
}

static int load(struct serve *s, const struct manifest *m, size_t most, struct preview *preview, struct err *e)
{
    CLEANUP(sink_close_ptr) struct sink *sink = NULL;
    struct decoding d = {.preview = preview, .most = most};
    struct codec codec;
    int r;

    if ((r = codec_parse(m->codec, &codec, e)) < 0 || (r = sink_open(s->config.store, &sink, e)) < 0)
        return r;
    d.ops = codec.ops;
    if ((r = d.ops->decoder_new(&d.decoder)) < 0)
        return err_set(e, r, "out of memory");
    if (d.ops->decoder_window && d.ops->decoder_window(d.decoder, WINDOW_LOG) < 0)
        r = err_set(e, -ENOMEM, "out of memory");
    else
        r = read_object(sink, m, &d, e);
    d.ops->decoder_free(d.decoder);
    return r;
}

int preview_load(struct serve *s, const struct manifest *m, size_t most, struct preview *ret, struct err *e)
{
    CLEANUP(preview_done) struct preview preview = {0};
    int r = 0;

    assert(most <= PREVIEW_MAX && ret);
    if (atomic_fetch_add(&previews, 1) >= PREVIEWS_MAX)
        r = err_set(e, -FAULT_BUSY, "too many files are looked into just now: try again");
    if (r == 0)
        r = load(s, m, most, &preview, e);
    atomic_fetch_sub(&previews, 1);
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
