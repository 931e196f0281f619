/* SPDX-License-Identifier: Apache-2.0
 *
 * The protocol: headers in, headers out. What is on the disk is upload_resource.h's.
 */
#include "serve/upload_resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/structured.h"
#include "serve/route.h"
#include "serve/upload_append.h"
#include "serve/upload_fields.h"
#include "serve/upload_finish.h"

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

static int begin(struct request *r, struct upload_append *s, uint64_t length, struct err *e)
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

static int create(struct request *r, struct upload_append *s, uint64_t length, struct err *e)
{
    int result = begin(r, s, length, e);

    if (result < 0)
        return result;
    s->created = true;
    announce(r, &s->resource);
    upload_append_receive(r, s);
    return 0;
}

void upload_resume_create(struct request *r, bool complete_body)
{
    uint64_t length = UINT64_MAX;
    struct upload_plan plan;
    struct upload_append *s;
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
        upload_append_free(s);
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
static bool check_append(struct request *r, struct upload_append *s)
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

static void append(struct request *r, struct upload_append *s)
{
    uint64_t known = s->resource.record.length;
    struct err e = {0};
    int result = check_append(r, s) ? upload_digests_init(&s->digests, r->exchange, &e) : 1;

    if (result == 0)
        result = upload_resource_append(&s->resource, r->exchange, &e);
    if (result == 0 && s->resource.record.length != known)
        result = upload_resource_save(&s->resource, &e);
    if (result == 0) {
        upload_append_receive(r, s);
        return;
    }
    if (result < 0) {
        upload_fields_add_complete(r->exchange, false);
        upload_answer_failed(r, s->resource.record.key, result, &e);
    }
    upload_append_free(s);
}

/* The rights are those in the namespace of the object, as they are now. */
static bool may_go_on(struct request *r, struct upload_append *s)
{
    const char *key = s->resource.record.key;
    size_t size = strcspn(key, "/");
    char namespace[256];

    snprintf(namespace, sizeof(namespace), "%.*s", key[size] ? (int)size : 0, key);
    r->rights = caller_rights(r->serve->access, r->caller, namespace);
    s->replace = (r->rights & RIGHT_DELETE) && !s->resource.record.only_new;
    return (r->rights & RIGHT_WRITE) != 0;
}

static void work_on(struct request *r, struct upload_append *s)
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
    upload_append_free(s);
}

void upload_resume(struct request *r)
{
    const struct upload_wanted wanted = {r->key + strlen(UPLOAD_RESOURCES), caller_name(r->caller)};
    struct upload_append *s;
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
    upload_append_free(s);
}
