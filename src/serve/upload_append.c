/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces, progress, and the end, which may be that of the object.
 */
#include "serve/upload_append.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "serve/upload_fields.h"
#include "serve/upload_finish.h"
#include "serve/upload_resume.h"

enum { PROGRESS_STEP = 32 * 1024 * 1024 };

void upload_append_free(void *state)
{
    struct upload_append *s = state;

    upload_resource_done(&s->resource);
    upload_digests_done(&s->digests);
    free(s);
}

static char *location_of(const struct upload_resource *res)
{
    char *location;

    return asprintf(&location, "/" UPLOAD_RESOURCES "%s", res->id) < 0 ? NULL : location;
}

/* The upload stays as it is, unless it was removed. */
static int fail(struct request *r, struct upload_append *s, int result, const struct err *e)
{
    upload_fields_add_complete(r->exchange, false);
    upload_answer_failed(r, s->resource.record.key, result, e);
    return -ECANCELED;
}

/* A client of one long request may forget what is durable. */
static void report_progress(struct request *r, struct upload_append *s)
{
    char head[64];
    struct err ignored;

    if (!s->interim || s->resource.incoming.size - s->reported < PROGRESS_STEP)
        return;
    s->reported = s->resource.incoming.size;
    if (upload_resource_sync(&s->resource, &ignored) < 0)
        return; /* the next write, or the end, will say why */
    snprintf(head, sizeof(head),
             "Upload-Offset: %" PRIu64 "\r\n" UPLOAD_VERSION_FIELD ": " UPLOAD_INTEROP_VERSION "\r\n", s->reported);
    exchange_interim(r->exchange, 104, head);
}

static int take(struct exchange *x, const void *data, size_t size)
{
    struct request *r = exchange_state(x);
    struct upload_append *s = r->state;
    struct upload_resource *res = &s->resource;
    struct err e = {0};
    int result;

    if (res->record.length != UINT64_MAX && size > res->record.length - res->incoming.size) {
        upload_resource_remove(res);
        err_set(&e, -FAULT_USAGE, "more came than Upload-Length says: the upload is void");
        return fail(r, s, -FAULT_USAGE, &e);
    }
    upload_digests_add(&s->digests, data, size);
    if ((result = incoming_write(&res->incoming, data, size, &e)) < 0)
        return fail(r, s, result, &e);
    report_progress(r, s);
    return 0;
}

static void *space(struct exchange *x, size_t *size)
{
    struct upload_append *s = ((struct request *)exchange_state(x))->state;

    return incoming_space(&s->resource.incoming, size);
}

static void idle(struct exchange *x)
{
    struct upload_append *s = ((struct request *)exchange_state(x))->state;
    struct err ignored;

    (void)incoming_rest(&s->resource.incoming, &ignored); /* the next write says it again */
}

/* Whether the object's end is known to be a failure, so that going on with the upload would not help. */
static bool is_final(int result)
{
    return result == -FAULT_EXISTS || result == -FAULT_CORRUPT || result == -FAULT_FORMAT || result == -FAULT_REFUSED ||
           result == -EFBIG;
}

static int finish(struct request *r, struct upload_append *s, struct upload_result *stored, struct err *e)
{
    struct upload_resource *res = &s->resource;
    const struct incoming_target target = {res->record.key, s->replace};
    unsigned char sha256[DIGEST_SHA256_SIZE];
    int result;

    /* What the answer will be is written down before the object gets its name: if we die in between, the client still
     * learns it. */
    digest_raw(&res->incoming.digest, sha256);
    text_hex(sha256, sizeof(sha256), res->record.sha256);
    res->record.size = res->incoming.size;
    res->record.complete = true;
    if ((result = upload_resource_save(res, e)) < 0)
        return result;
    if ((result = upload_finish(r->serve, &res->incoming, &s->digests, &target, stored, e)) == 0)
        upload_resource_committed(res);
    return result;
}

static void complete(struct request *r, struct upload_append *s)
{
    struct upload_resource *res = &s->resource;
    struct upload_result stored;
    struct err e = {0};
    int result;

    if (res->record.length != UINT64_MAX && res->record.length != res->incoming.size) {
        upload_fields_inconsistent(r);
        return;
    }
    result = finish(r, s, &stored, &e);
    upload_fields_add_complete(r->exchange, result == 0 || is_final(result));
    if (result == 0) {
        request_audit(r, "upload", res->record.key, res->record.size);
        upload_answer_stored(r, res->record.key, &stored);
        return;
    }
    if (is_final(result))
        upload_resource_remove(res); /* nothing is left once the client knows */
    upload_answer_failed(r, res->record.key, result, &e);
}

static void answer_appended(struct request *r, struct upload_append *s)
{
    CLEANUP_FREE char *location = s->created ? location_of(&s->resource) : NULL;

    if (s->created)
        request_audit(r, "upload-begun", s->resource.record.key, s->resource.incoming.size);
    if (location)
        exchange_add_header(r->exchange, "Location", location);
    upload_fields_add_uint(r->exchange, "Upload-Offset", s->resource.incoming.size);
    upload_fields_add_complete(r->exchange, false);
    upload_fields_add_limit(r);
    exchange_answer(r->exchange, s->created ? 201 : 204, "", 0);
}

/* What came with a digest that does not match is taken back: it was not acknowledged. */
static int check_content(struct upload_append *s, struct err *e)
{
    struct err ignored;
    int r = upload_digests_check_content(&s->digests, e);

    if (r < 0)
        (void)incoming_truncate(&s->resource.incoming, s->resource.offset, &ignored);
    return r;
}

static void end(struct exchange *x)
{
    struct request *r = exchange_state(x);
    struct upload_append *s = r->state;
    struct err e = {0};
    int result = check_content(s, &e);

    if (result == 0 && s->complete) {
        complete(r, s);
        return;
    }
    if (result == 0)
        result = upload_resource_sync(&s->resource, &e);
    if (result == 0)
        answer_appended(r, s);
    else
        (void)fail(r, s, result, &e);
}

void upload_append_receive(struct request *r, struct upload_append *s)
{
    static const struct exchange_body BODY = {take, end, space, idle};
    int64_t size = exchange_body_size(r->exchange);

    s->interim = text_eq(exchange_header(r->exchange, UPLOAD_VERSION_FIELD), UPLOAD_INTEROP_VERSION);
    s->reported = s->resource.incoming.size;
    incoming_write_behind(&s->resource.incoming, size > 0 ? (uint64_t)size : 0);
    r->state = s;
    r->state_done = upload_append_free;
    exchange_receive(r->exchange, &BODY);
}
