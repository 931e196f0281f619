/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects of a store elsewhere, to their readers.
 */
#include "base/mem.h"
#include "base/text.h"
#include "serve/gateway.h"
#include "serve/object_answer.h"
#include "serve/object_name.h"
#include "serve/store_object.h"
#include "serve/store_stream.h"

static ssize_t read_stream(void *ctx, void *data, size_t size)
{
    return store_stream_read(ctx, data, size);
}

static void close_stream(void *ctx)
{
    store_stream_close(ctx);
}

static ssize_t read_nothing(void *ctx, void *data, size_t size)
{
    (void)ctx, (void)data, (void)size;
    return 0;
}

/* The headers are set. */
static void send_range(struct request *r, const struct store_object *o, unsigned status, const struct range *range)
{
    const struct store_stream_range what = {r->key, &o->info, range->first, range->size};
    struct exchange_stream out = {.read = read_nothing};
    struct store_stream *stream = NULL;
    struct err e = {0};

    if (o->text.size > 0) {
        exchange_answer(r->exchange, status, o->text.data + range->first, (size_t)range->size);
        return;
    }
    if (range->size > 0 && text_eq(exchange_method(r->exchange), "GET")) {
        if (store_stream_open(gateway_sinks(r->serve->gateway), &what, &stream, &e) < 0) {
            exchange_answer(r->exchange, 503, "", 0); /* no thread, no descriptor */
            return;
        }
        out = (struct exchange_stream){.read = read_stream, .done = close_stream, .ctx = stream};
    }
    exchange_answer_stream(r->exchange, status, (int64_t)range->size, &out);
}

static void answer_stored(struct request *r, const struct store_object *o)
{
    const struct representation p = {.object = &o->object,
                                     .size = (int64_t)o->object.size,
                                     .ranges = true,
                                     .etag = o->object.etag,
                                     .sha256 = o->object.sure ? o->object.manifest.stored_sha256 : NULL};
    const struct range whole = {0, o->object.size};
    struct ranges ranges;

    switch (object_answer_plan(r, &p, &ranges)) {
    case ANSWERED:
        break;
    case PART:
        send_range(r, o, 206, &ranges.range[0]);
        break;
    case PARTS: /* each would be a request to the store: a server may answer with the whole (RFC 9110, 14.2) */
        exchange_add_header(
            r->exchange, "Content-Type",
            object_name_type(&(struct object_name){r->key, o->object.described ? &o->object.manifest : NULL, false}));
        send_range(r, o, 200, &whole);
        break;
    case WHOLE:
        send_range(r, o, 200, &whole);
        break;
    }
}

void gateway_get(struct request *r)
{
    CLEANUP(store_object_done) struct store_object o = {.object = {.fd = -1}};
    struct err e = {0};
    int result;

    if (!request_may(r, RIGHT_LIST))
        return;
    if ((result = store_object_open(r->serve->gateway, r->key, &o, &e)) < 0) {
        gateway_fail(r, result, &e);
        return;
    }
    if (o.object.is_manifest || object_name_is_record(r->key) || request_may(r, RIGHT_READ))
        answer_stored(r, &o);
}
