/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes into parts. A part's buffer grows as they come: most objects are small.
 */
#include "serve/store_upload.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "serve/upload_memory.h"
#include "store/multipart.h"

enum { MEMORY_WAIT_MS = 2 * 1000 };

/* What the sink is given, and what frees it: the buffer is behind it. */
struct piece {
    struct part part;
    struct buf bytes;
};

struct store_upload {
    struct gateway *gateway;
    struct sink *sink;
    struct object object;
    struct upload_events events;
    struct upload *upload;
    const char *namespace;
    uint64_t claimed, size;
    size_t part_size;
    unsigned parts;        /* handed over */
    struct piece *current; /* being filled; NULL: none */
    bool finished;
};

static void piece_free(struct piece *p)
{
    if (!p)
        return;
    buf_done(&p->bytes);
    free(p);
}

static void part_done(void *ctx, struct part *part, const char *etag)
{
    (void)ctx, (void)etag;
    piece_free(part->ctx);
}

/* So that an object of this size fits into the store's number of parts. Not known: as many of the good size. */
static uint64_t part_size_for(const struct sink_ops *ops, int64_t size)
{
    uint64_t least = MULTIPART_GOOD_SIZE > ops->part_min ? MULTIPART_GOOD_SIZE : ops->part_min;
    uint64_t needed = size > 0 ? (uint64_t)size / ops->parts_max + 1 : 0;

    return needed > least ? needed : least;
}

static int start_upload(struct store_upload *u, struct err *e)
{
    const struct upload_start start = {.object = &u->object, .events = &u->events};
    int r = sink_pool_take(gateway_sinks(u->gateway), &u->sink, e);

    return r < 0 ? r : u->sink->ops->upload_new(u->sink, &start, &u->upload, e);
}

static int claim(struct store_upload *u, int64_t size, const struct sink_ops *ops, struct err *e)
{
    const uint64_t part = part_size_for(ops, size), most = (UPLOAD_PARTS_IN_FLIGHT + 1) * part;
    const uint64_t bytes = size >= 0 && (uint64_t)size < most ? (uint64_t)size : most;

    if (part > ops->part_max || part > SIZE_MAX / 4)
        return err_set(e, -EFBIG, "the store takes no object that large");
    if (upload_memory_claim(gateway_upload_memory(u->gateway), u->namespace, bytes, MEMORY_WAIT_MS) < 0)
        return err_set(e, -EAGAIN, "other uploads have all the memory there is for them (--upload-memory): try again");
    u->claimed = bytes;
    u->part_size = (size_t)part;
    return 0;
}

DEFINE_CLEANUP(struct store_upload *, store_upload_free)

int store_upload_new(struct gateway *g, const struct store_upload_start *start, struct store_upload **ret,
                     struct err *e)
{
    CLEANUP(store_upload_free_ptr) struct store_upload *u = calloc(1, sizeof(*u));
    int r;

    assert(g && start->key && start->namespace && ret);
    if (!u)
        return err_set(e, -ENOMEM, "out of memory");
    u->gateway = g;
    u->namespace = start->namespace;
    u->object = (struct object){
        .key = start->key, .content_type = start->content_type, .id = "0000000000000000", .exclusive = !start->replace};
    u->events.done = part_done;
    if ((r = claim(u, start->size, gateway_ops(g), e)) < 0)
        return r;
    u->object.part_size = u->part_size;
    if ((r = start_upload(u, e)) < 0)
        return r;
    *ret = TAKE_PTR(u);
    return 0;
}

/* The sink frees it, whatever comes of it. */
static int hand_over(struct store_upload *u, bool last, struct err *e)
{
    struct piece *p = TAKE_PTR(u->current);

    if (u->parts >= u->sink->ops->parts_max) {
        piece_free(p);
        return err_set(e, -EFBIG, "the object is too large for an upload that does not say its size");
    }
    p->part = (struct part){
        .number = ++u->parts, .last = last, .size = p->bytes.size, .data = (unsigned char *)p->bytes.data, .ctx = p};
    return u->sink->ops->write(u->upload, &p->part, e);
}

static int begin_piece(struct store_upload *u, struct err *e)
{
    if (!(u->current = calloc(1, sizeof(*u->current))))
        return err_set(e, -ENOMEM, "out of memory");
    u->current->bytes.ceiling = u->part_size + 1;
    return 0;
}

int store_upload_write(struct store_upload *u, const void *data, size_t size, struct err *e)
{
    const char *from = data;
    int r;

    assert(!u->finished);
    while (size > 0) {
        size_t some;

        if (u->current && u->current->bytes.size == u->part_size && (r = hand_over(u, false, e)) < 0)
            return r;
        if (!u->current && (r = begin_piece(u, e)) < 0)
            return r;
        some = u->part_size - u->current->bytes.size;
        some = some < size ? some : size;
        if (buf_add(&u->current->bytes, from, some) < 0)
            return err_set(e, -ENOMEM, "out of memory");
        from += some;
        size -= some;
        u->size += some;
    }
    return 0;
}

const struct buf *store_upload_text(const struct store_upload *u)
{
    static const struct buf EMPTY;

    return u->parts > 0 ? NULL : u->current ? &u->current->bytes : &EMPTY;
}

int store_upload_finish(struct store_upload *u, const char sha256[DIGEST_HEX_MAX], struct err *e)
{
    struct whole whole = {.size = u->size};
    const struct sink_ops *ops = u->sink->ops;
    int r = u->current ? 0 : begin_piece(u, e);

    assert(!u->finished);
    memcpy(whole.sha256, sha256, sizeof(whole.sha256));
    if (r < 0 || (r = hand_over(u, true, e)) < 0 || (r = ops->commit(u->upload, &whole, e)) < 0)
        return r;
    u->finished = true;
    r = ops->verify(u->upload, &whole, true, e);
    return r < 0 ? r : 0; /* 1: we may write and not read */
}

void store_upload_free(struct store_upload *u)
{
    if (!u)
        return;
    if (u->upload && !u->finished)
        u->sink->ops->abort(u->upload);
    if (u->upload)
        u->sink->ops->upload_free(u->upload);
    piece_free(u->current);
    sink_pool_give(gateway_sinks(u->gateway), u->sink);
    upload_memory_release(gateway_upload_memory(u->gateway), u->namespace, u->claimed);
    free(u);
}
