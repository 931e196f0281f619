/* SPDX-License-Identifier: Apache-2.0
 *
 * The protocol: headers in, headers out. What is on the disk is upload_resource.h's.
 */
#include "serve/upload_resume.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/structured.h"
#include "serve/route.h"
#include "serve/upload_fields.h"
#include "serve/upload_finish.h"
#include "serve/upload_resource.h"

enum { PROGRESS_STEP = 32 * 1024 * 1024 };

/* The route's own state. */
struct resumption {
    struct upload_resource resource;
    struct upload_digests digests;
    bool created;  /* by this request */
    bool complete; /* its body is the rest */
    bool replace;
    bool interim;      /* the client knows this version of the draft */
    uint64_t reported; /* the offset it last heard */
};

static void resumption_free(void *state)
{
    struct resumption *s = state;

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
static int fail(struct request *r, struct resumption *s, int result, const struct err *e)
{
    upload_fields_add_complete(r->exchange, false);
    upload_answer_failed(r, s->resource.record.key, result, e);
    return -ECANCELED;
}

/* A client of one long request may forget what is durable. */
static void report_progress(struct request *r, struct resumption *s)
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
    struct resumption *s = r->state;
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
    struct resumption *s = ((struct request *)exchange_state(x))->state;

    return incoming_space(&s->resource.incoming, size);
}

static void idle(struct exchange *x)
{
    struct resumption *s = ((struct request *)exchange_state(x))->state;
    struct err ignored;

    (void)incoming_rest(&s->resource.incoming, &ignored); /* the next write says it again */
}

/* Whether the object's end is known to be a failure, so that going on with the upload would not help. */
static bool is_final(int result)
{
    return result == -FAULT_EXISTS || result == -FAULT_CORRUPT || result == -FAULT_FORMAT || result == -FAULT_REFUSED ||
           result == -EFBIG;
}

static int finish(struct request *r, struct resumption *s, struct upload_result *stored, struct err *e)
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

static void complete(struct request *r, struct resumption *s)
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

static void answer_appended(struct request *r, struct resumption *s)
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
static int check_content(struct resumption *s, struct err *e)
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
    struct resumption *s = r->state;
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

static void receive(struct request *r, struct resumption *s)
{
    static const struct exchange_body BODY = {take, end, space, idle};
    int64_t size = exchange_body_size(r->exchange);

    s->interim = text_eq(exchange_header(r->exchange, UPLOAD_VERSION_FIELD), UPLOAD_INTEROP_VERSION);
    s->reported = s->resource.incoming.size;
    incoming_write_behind(&s->resource.incoming, size > 0 ? (uint64_t)size : 0);
    r->state = s;
    r->state_done = resumption_free;
    exchange_receive(r->exchange, &BODY);
}

void upload_resume_offer(struct request *r)
{
    char limit[UPLOAD_LIMIT_MAX];

    if (!r->serve->uploads)
        return;
    exchange_add_header(r->exchange, "Upload-Limit", upload_fields_limit(r->serve->uploads, 0, limit));
    exchange_add_header(r->exchange, UPLOAD_VERSION_FIELD, UPLOAD_INTEROP_VERSION);
}

bool upload_resume_wanted(const struct request *r, bool *ret_complete)
{
    return structured_boolean(exchange_header(r->exchange, "Upload-Complete"), ret_complete);
}

static void announce(struct request *r, const struct upload_resource *res)
{
    const char *version = exchange_header(r->exchange, UPLOAD_VERSION_FIELD);
    char head[320], limit[UPLOAD_LIMIT_MAX];

    if (!text_eq(version, UPLOAD_INTEROP_VERSION))
        return;
    snprintf(head, sizeof(head),
             "Location: /" UPLOAD_RESOURCES "%s\r\nUpload-Limit: %s\r\n" UPLOAD_VERSION_FIELD
             ": " UPLOAD_INTEROP_VERSION "\r\n",
             res->id, upload_fields_limit(r->serve->uploads, uploads_config(r->serve->uploads)->abandoned_ms, limit));
    exchange_interim(r->exchange, 104, head);
}

/* An object that is there is compared with the upload at its end; one of another size can't be the same. */
static bool check_size_there(struct request *r, const struct upload_plan *plan, uint64_t length)
{
    if (plan->size_there < 0 || plan->replace || length == UINT64_MAX || length == (uint64_t)plan->size_there)
        return true;
    exchange_answer_text(r->exchange, 412, "there is another object of this name: it is not replaced");
    return false;
}

static int begin(struct request *r, struct resumption *s, uint64_t length, struct err *e)
{
    const char *none = exchange_header(r->exchange, "If-None-Match");
    struct upload_record record = {.length = length, .size = UINT64_MAX, .only_new = text_eq(none, "*")};
    int result = upload_digests_init(&s->digests, r->exchange, e);

    record.key = strdup(r->key);
    record.owner = strdup(caller_name(r->caller));
    if (result == 0 && (!record.key || !record.owner))
        result = err_set(e, -ENOMEM, "out of memory");
    if (result == 0)
        result = upload_resource_create(r->serve->uploads, &record, r->exchange, &s->resource, e);
    upload_record_done(&record);
    return result;
}

static int create(struct request *r, struct resumption *s, uint64_t length, struct err *e)
{
    int result = begin(r, s, length, e);

    if (result < 0)
        return result;
    s->created = true;
    announce(r, &s->resource);
    receive(r, s);
    return 0;
}

void upload_resume_create(struct request *r, bool complete_body)
{
    uint64_t length = UINT64_MAX;
    struct upload_plan plan;
    struct resumption *s;
    struct err e = {0};
    int result;

    if (!upload_fields_length(r->exchange, 0, complete_body, &length)) {
        upload_fields_inconsistent(r);
        return;
    }
    if (!upload_begin(r, length == UINT64_MAX ? -1 : (int64_t)length, &plan) || !check_size_there(r, &plan, length))
        return;
    if (!(s = calloc(1, sizeof(*s)))) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    s->complete = complete_body;
    s->replace = plan.replace;
    if ((result = create(r, s, length, &e)) < 0) {
        upload_answer_failed(r, r->key, result, &e);
        resumption_free(s);
    }
}

static void answer_offset(struct request *r, const struct upload_resource *res)
{
    upload_fields_add_uint(r->exchange, "Upload-Offset", res->offset);
    upload_fields_add_complete(r->exchange, res->committed);
    if (res->record.length != UINT64_MAX)
        upload_fields_add_uint(r->exchange, "Upload-Length", res->record.length);
    upload_fields_add_limit(r);
    exchange_add_header(r->exchange, "Cache-Control", "no-store");
    exchange_answer(r->exchange, 204, "", 0);
}

/* A client that lost the answer to its last request gets it again. */
static void answer_again(struct request *r, const struct upload_resource *res)
{
    struct upload_result stored = {.end = INCOMING_STORED, .size = res->record.size};

    (void)text_unhex(res->record.sha256, stored.sha256, sizeof(stored.sha256));
    upload_fields_add_complete(r->exchange, true);
    upload_answer_stored(r, res->record.key, &stored);
}

/* What a PATCH needs before its body is taken; false after it has answered. */
static bool check_append(struct request *r, struct resumption *s)
{
    struct exchange *x = r->exchange;
    struct upload_resource *res = &s->resource;
    uint64_t offset;

    if (!structured_uint(exchange_header(x, "Upload-Offset"), &offset) ||
        !structured_boolean(exchange_header(x, "Upload-Complete"), &s->complete)) {
        upload_fields_add_complete(x, res->committed);
        exchange_answer_text(x, 400, "a PATCH of an upload needs Upload-Offset and Upload-Complete");
    } else if (!text_starts(exchange_header(x, "Content-Type") ? exchange_header(x, "Content-Type") : "",
                            "application/partial-upload")) {
        upload_fields_add_complete(x, res->committed);
        exchange_answer_text(x, 415, "a PATCH of an upload has Content-Type: application/partial-upload");
    } else if (offset != res->offset) {
        upload_fields_mismatch(r, res->offset, offset);
    } else if (!upload_fields_length(x, offset, s->complete, &res->record.length)) {
        upload_fields_inconsistent(r);
    } else if (res->committed) {
        answer_again(r, res);
    } else {
        return true;
    }
    return false;
}

static void append(struct request *r, struct resumption *s)
{
    uint64_t known = s->resource.record.length;
    struct err e = {0};
    int result = check_append(r, s) ? upload_digests_init(&s->digests, r->exchange, &e) : 1;

    if (result == 0)
        result = upload_resource_append(&s->resource, r->exchange, &e);
    if (result == 0 && s->resource.record.length != known)
        result = upload_resource_save(&s->resource, &e);
    if (result == 0) {
        receive(r, s);
        return;
    }
    if (result < 0) {
        upload_fields_add_complete(r->exchange, false);
        upload_answer_failed(r, s->resource.record.key, result, &e);
    }
    resumption_free(s);
}

/* The rights are those in the namespace of the object, as they are now. */
static bool may_go_on(struct request *r, struct resumption *s)
{
    const char *key = s->resource.record.key;
    size_t size = strcspn(key, "/");
    char namespace[256];

    snprintf(namespace, sizeof(namespace), "%.*s", key[size] ? (int)size : 0, key);
    r->rights = caller_rights(r->serve->access, r->caller, namespace);
    s->replace = (r->rights & RIGHT_DELETE) && !s->resource.record.only_new;
    return (r->rights & RIGHT_WRITE) != 0;
}

static void work_on(struct request *r, struct resumption *s)
{
    const char *method = exchange_method(r->exchange);

    if (text_eq(method, "PATCH")) {
        append(r, s);
        return;
    }
    if (text_eq(method, "DELETE")) {
        upload_resource_remove(&s->resource);
        exchange_answer(r->exchange, 204, "", 0);
    } else {
        answer_offset(r, &s->resource);
    }
    resumption_free(s);
}

void upload_resume(struct request *r)
{
    const struct upload_wanted wanted = {r->key + strlen(UPLOAD_RESOURCES), caller_name(r->caller)};
    struct resumption *s;
    struct err e = {0};
    int result = -FAULT_NO_OBJECT;

    if (caller_is_anonymous(r->caller) && !request_may(r, RIGHT_WRITE))
        return;
    if (!(s = calloc(1, sizeof(*s)))) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    if (r->serve->uploads)
        result = upload_resource_open(r->serve->uploads, &wanted, r->exchange, &s->resource, &e);
    if (result == 0 && may_go_on(r, s)) {
        work_on(r, s);
        return;
    }
    if (result == 0 || result == -FAULT_NO_OBJECT)
        exchange_answer_text(r->exchange, 404, "there is no such upload");
    else
        upload_answer_failed(r, r->key, result, &e);
    resumption_free(s);
}
