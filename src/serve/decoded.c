/* SPDX-License-Identifier: Apache-2.0
 *
 * The first block is decoded before the answer begins, so that most of what can't be decoded is refused with a reason.
 * The others are decoded on a thread while the ones before them are sent.
 */
#include "serve/decoded.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/decode_slots.h"
#include "serve/object_answer.h"
#include "serve/plain_reader.h"
#include "serve/read_ahead.h"

enum {
    SLOT_WAIT_MS = 3000,
    SKIP_MAX = 64 * 1024 * 1024, /* plain bytes that are decoded to reach a range, where there is no table */
};

struct decoding {
    int fd;
    struct decoded_source source; /* instead of fd */
    struct plain_reader *reader;
    struct read_ahead *ahead; /* NULL: reads by itself */
    struct decode_slots *slots;
    char *who;            /* holds a slot; NULL: holds none */
    char *key;            /* for the event; owned, as who is */
    unsigned char *first; /* the first block, until it is sent */
    size_t first_size, first_at;
};

static void decoding_free(void *ctx)
{
    struct decoding *d = ctx;

    if (!d)
        return;
    read_ahead_free(d->ahead);
    plain_reader_free(d->reader);
    if (d->who)
        decode_slots_give(d->slots, d->who);
    if (d->fd >= 0)
        close(d->fd);
    if (d->source.free)
        d->source.free(d->source.source.ctx);
    free(d->who);
    free(d->key);
    free(d->first);
    free(d);
}

static void decoding_free_ptr(struct decoding **d)
{
    decoding_free(*d);
}

static ssize_t read_plain(void *ctx, void *data, size_t size)
{
    return plain_reader_read(ctx, data, size);
}

static const char *reason(int result)
{
    return result == -EBADMSG ? "it is damaged: its checksums or its sizes are wrong" : strerror(-result);
}

static ssize_t read_decoding(void *ctx, void *data, size_t size)
{
    struct decoding *d = ctx;
    ssize_t n;

    if (d->first) {
        if (size > d->first_size - d->first_at)
            size = d->first_size - d->first_at;
        memcpy(data, d->first + d->first_at, size);
        d->first_at += size;
        if (d->first_at == d->first_size)
            free(TAKE_PTR(d->first));
        return (ssize_t)size;
    }
    n = d->ahead ? read_ahead_read(d->ahead, data, size) : plain_reader_read(d->reader, data, size);
    if (n < 0)
        log_event(EVENT_NOT_SERVED, LOG_STR("key", d->key), LOG_STR("error", reason((int)n)));
    return n;
}

/* 0, or the failure of what comes first. */
static int read_first(struct decoding *d)
{
    ssize_t n;

    if (!(d->first = malloc(READ_AHEAD_BLOCK)))
        return -ENOMEM;
    if ((n = plain_reader_read(d->reader, d->first, READ_AHEAD_BLOCK)) <= 0) {
        free(TAKE_PTR(d->first));
        return (int)n;
    }
    d->first_size = (size_t)n;
    if (n == READ_AHEAD_BLOCK)
        read_ahead_new(read_plain, d->reader, &d->ahead); /* without a thread it goes on by itself */
    return 0;
}

static void answer_failure(struct request *r, int result)
{
    struct exchange *x = r->exchange;

    if (result == -EBADMSG) {
        log_event(EVENT_NOT_SERVED, LOG_STR("key", r->key), LOG_STR("error", reason(result)));
        exchange_answer_text(x, 500, "the object is damaged: its checksums or its sizes are wrong");
    } else if (result == -E2BIG) {
        exchange_answer_text(x, 501,
                             "this was compressed with a window of more than 8 MiB: download it without ?decoded, "
                             "and decode it with zstd -d --long=31");
    } else if (result == -EBUSY) {
        exchange_add_header(x, "Retry-After", "5");
        exchange_answer_text(x, 503, "too many objects are being decoded: try again, or download without ?decoded");
    } else {
        exchange_add_header(x, "Retry-After", "5");
        exchange_answer_text(x, 503, "%s", strerror(-result));
    }
}

/* An anonymous caller is as many as their addresses. */
static char *holder_of(const struct request *r)
{
    return strdup(caller_is_anonymous(r->caller) ? exchange_client(r->exchange) : caller_name(r->caller));
}

static int begin(struct request *r, struct decoding *d, const struct range *range, bool ends)
{
    CLEANUP_FREE char *who = holder_of(r);
    int result;

    d->slots = r->serve->decoders;
    d->key = strdup(r->key);
    if (!who || !d->key)
        return -ENOMEM;
    if ((result = decode_slots_take(d->slots, who, SLOT_WAIT_MS)) < 0)
        return result;
    d->who = TAKE_PTR(who);
    if ((result = plain_reader_seek(d->reader, range->first, range->size, ends)) < 0)
        return result;
    return read_first(d);
}

/* The form of the object that is answered. etag: room for its entity tag. */
static struct representation describe(const struct root_object *o, const struct plain_reader *reader, char *etag)
{
    const struct manifest *m = &o->manifest;
    const struct codec_ops *codec = plain_reader_codec(reader);
    bool sure =
        o->sure && m->codec && strcspn(m->codec, ":") == strlen(codec->name) && text_starts(m->codec, codec->name);
    struct representation p = {.object = o, .decoded = true, .size = -1, .etag = etag};
    uint64_t size;

    if (sure && *m->sha256) {
        snprintf(etag, ROOT_OBJECT_ETAG_MAX, "\"%.64s\"", m->sha256);
        p.sha256 = m->sha256;
    } else {
        snprintf(etag, ROOT_OBJECT_ETAG_MAX, "%.*s-decoded\"", (int)strlen(o->etag) - 1, o->etag);
    }
    if (plain_reader_seeks(reader, &size)) {
        p.size = (int64_t)size;
        p.ranges = true;
    } else if (sure) {
        p.size = (int64_t)m->size;
        p.ranges = m->size <= SKIP_MAX;
    }
    return p;
}

/* range: NULL: all. */
static void send(struct request *r, struct decoding *d, const struct representation *p, const struct ranges *ranges)
{
    struct range range = {.size = p->size < 0 ? UINT64_MAX : (uint64_t)p->size};
    int result = 0;

    if (p->size < 0 && exchange_is_old(r->exchange)) {
        exchange_answer_text(r->exchange, 505,
                             "its plain size is not known, so HTTP/1.0 cannot say where it ends: use HTTP/1.1");
        decoding_free(d);
        return;
    }
    if (ranges)
        range = ranges->range[0];
    if (!text_eq(exchange_method(r->exchange), "HEAD"))
        result = begin(r, d, &range, p->size >= 0 && range.first + range.size == (uint64_t)p->size);
    if (result < 0) {
        answer_failure(r, result);
        decoding_free(d);
        return;
    }
    object_answer_headers(r, p, ranges);
    exchange_answer_stream(r->exchange, ranges ? 206 : 200, p->size < 0 ? -1 : (int64_t)range.size,
                           &(struct exchange_stream){.read = read_decoding, .done = decoding_free, .ctx = d});
}

static void answer(struct request *r, struct decoding *d, const struct root_object *o)
{
    char etag[ROOT_OBJECT_ETAG_MAX];
    struct representation p = describe(o, d->reader, etag);
    struct ranges ranges;

    switch (object_answer_plan(r, &p, &ranges)) {
    case ANSWERED:
        decoding_free(d);
        break;
    case PART:
        send(r, d, &p, &ranges);
        break;
    case WHOLE:
    case PARTS: /* several ranges of what is decoded: a server may send the whole */
        send(r, d, &p, NULL);
        break;
    }
}

bool decoded_answer(struct request *r, struct root_object *o)
{
    CLEANUP(decoding_free_ptr) struct decoding *d = calloc(1, sizeof(*d));
    int result;

    if (!d) {
        answer_failure(r, -ENOMEM);
        return true;
    }
    d->fd = -1;
    if ((result = plain_reader_new(o->fd, o->size, &d->reader)) < 0) {
        answer_failure(r, result);
        return true;
    }
    if (plain_reader_codec(d->reader) == &CODEC_NONE)
        return false;
    d->fd = TAKE_FD(o->fd);
    answer(r, TAKE_PTR(d), o);
    return true;
}

bool decoded_answer_from(struct request *r, const struct root_object *o, const struct decoded_source *source)
{
    CLEANUP(decoding_free_ptr) struct decoding *d = calloc(1, sizeof(*d));
    int result;

    assert(source->free);
    if (!d) {
        source->free(source->source.ctx);
        answer_failure(r, -ENOMEM);
        return true;
    }
    d->fd = -1;
    d->source = *source;
    if ((result = plain_reader_new_from(&d->source.source, o->size, &d->reader)) < 0) {
        answer_failure(r, result);
        return true;
    }
    if (plain_reader_codec(d->reader) == &CODEC_NONE)
        return false;
    answer(r, TAKE_PTR(d), o);
    return true;
}
