/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects of a store elsewhere, to their readers.
 */
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/decoded.h"
#include "serve/gateway.h"
#include "serve/object_answer.h"
#include "serve/object_name.h"
#include "serve/root.h"
#include "serve/store_folder.h"
#include "serve/store_object.h"
#include "serve/store_source.h"
#include "serve/store_stream.h"
#include "ship/manifest.h"

enum { REDIRECT_MIN = 1024 * 1024 };

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

/* What is sent of it. ranges: NULL: the whole. */
static void send_bytes(struct request *r, const struct store_object *o, const struct representation *p,
                       const struct ranges *ranges)
{
    const struct range whole = {0, o->object.size}, *range = ranges ? &ranges->range[0] : &whole;
    const struct store_stream_range what = {r->key, &o->info, range->first, range->size};
    struct exchange_stream out = {.read = read_nothing};
    struct store_stream *stream = NULL;
    struct err e = {0};
    int result;

    if (range->size > 0 && o->text.size == 0 && text_eq(exchange_method(r->exchange), "GET")) {
        if ((result = store_stream_open(gateway_sinks(r->serve->gateway), &what, &stream, &e)) < 0) {
            gateway_fail(r, result, &e);
            return;
        }
        out = (struct exchange_stream){.read = read_stream, .done = close_stream, .ctx = stream};
    }
    object_answer_headers(r, p, ranges);
    if (o->text.size > 0)
        exchange_answer(r->exchange, ranges ? 206 : 200, o->text.data + range->first, (size_t)range->size);
    else
        exchange_answer_stream(r->exchange, ranges ? 206 : 200, (int64_t)range->size, &out);
}

/* What is small is sooner sent than asked for elsewhere; a manifest and a record may be read by those who may not read
 * the rest. */
static bool may_redirect(const struct request *r, const struct store_object *o)
{
    return (r->rights & RIGHT_READ) && !o->object.is_manifest && o->object.size >= REDIRECT_MIN &&
           text_eq(exchange_method(r->exchange), "GET") && !exchange_query(r->exchange, "through");
}

static bool redirect(struct request *r, const struct store_object *o)
{
    const struct object_name name = {r->key, o->object.described ? &o->object.manifest : NULL, false};
    char disposition[OBJECT_DISPOSITION_MAX];

    object_name_disposition(&name, disposition);
    return may_redirect(r, o) &&
           gateway_redirect(r, &(struct gateway_redirect){disposition, object_name_type(&name), o->object.size});
}

static void answer_stored(struct request *r, const struct store_object *o)
{
    const struct representation p = {.object = &o->object,
                                     .decoded = exchange_query(r->exchange, "decoded") != NULL,
                                     .size = (int64_t)o->object.size,
                                     .ranges = true,
                                     .etag = o->object.etag,
                                     .sha256 = o->object.sure ? o->object.manifest.stored_sha256 : NULL};
    struct ranges ranges;

    switch (object_answer_plan(r, &p, &ranges)) {
    case ANSWERED:
        break;
    case PART:
        if (!redirect(r, o))
            send_bytes(r, o, &p, &ranges);
        break;
    case WHOLE:
    case PARTS: /* each would be a request to the store: a server may answer with the whole (RFC 9110, 14.2) */
        if (!redirect(r, o))
            send_bytes(r, o, &p, NULL);
        break;
    }
}

/* False: nothing was answered. */
static bool answer_decoded(struct request *r, const struct store_object *o)
{
    struct store_source *source;

    if (store_source_new(gateway_sinks(r->serve->gateway), r->key, &o->info, &source) < 0) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return true;
    }
    return decoded_answer_from(r, &o->object, &(struct decoded_source){{store_source_read, source}, store_source_free});
}

/* Who ships asks by HEAD, and for manifests by GET, whether something is there: those get no listing on top. */
static bool may_name_a_folder(const struct request *r)
{
    if (root_hides(r->key) || text_ends(r->key, MANIFEST_SUFFIX))
        return false;
    return text_eq(exchange_method(r->exchange), "GET") || !strchr(r->key, '/');
}

/* There is no such object: is it a folder without its '/'? False: nothing was answered. */
static bool answer_folder(struct request *r)
{
    unsigned rights = r->rights;
    struct err ignored;

    if (!may_name_a_folder(r))
        return false;
    object_answer_namespace(r);
    if (r->rights & RIGHT_LIST && store_folder_exists(r->serve->gateway, r->key, &ignored) == 1) {
        object_answer_folder(r);
        return true;
    }
    r->rights = rights;
    return false;
}

void gateway_get(struct request *r)
{
    CLEANUP(store_object_done) struct store_object o = {.object = {.fd = -1}};
    struct err e = {0};
    int result;

    if (!(r->rights & RIGHT_LIST) && answer_folder(r))
        return;
    if (!request_may(r, RIGHT_LIST))
        return;
    if ((result = store_object_open(r->serve->gateway, r->key, &o, &e)) < 0) {
        if (result != -FAULT_NO_OBJECT || !answer_folder(r))
            gateway_fail(r, result, &e);
        return;
    }
    if (!o.object.is_manifest && !object_name_is_record(r->key) && !request_may(r, RIGHT_READ))
        return;
    if (!exchange_query(r->exchange, "decoded") || !answer_decoded(r, &o))
        answer_stored(r, &o);
}
