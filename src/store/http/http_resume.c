/* SPDX-License-Identifier: Apache-2.0
 *
 * Resumable uploads, as `salvage serve` takes them: draft-ietf-httpbis-resumable-upload, revision 12 (July 2026),
 * interop version 8. Each part is a PATCH, so what its answer confirms need not be sent again, by this process or
 * another: the journal's token is the path of the upload's resource. The server puts the object in its place itself.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/digest_field.h"
#include "store/http/resume_answer.h"
#include "store/request_retry.h"

enum { NUMBER_MAX = 24 };

struct resumed {
    struct upload base;
    char *resource;  /* the upload's URL; NULL before its first part */
    uint64_t offset; /* what the server has, durably */
    uint64_t taken;  /* what the caller has given us: where its next part begins */
    bool unsure;     /* a request broke off: the server has to be asked for the offset */
};

/* --- requests ----------------------------------------------------------------------------------------------------- */

/* Something that may pass with the next try, which begins by asking for the offset. */
static bool wait_again(struct retry_state *retry, int result, const struct upload_events *events, const struct err *e)
{
    uint64_t delay_ms;

    if (!request_retry(retry, result, e, &delay_ms))
        return false;
    if (events->waiting)
        events->waiting(events->ctx, e, delay_ms);
    clock_sleep_ms(delay_ms);
    return true;
}

static int fail_gone(const struct resumed *u, struct err *e)
{
    return err_set(e, -FAULT_GONE, "http: the server no longer has the upload %s: it begins anew", u->resource);
}

static int find_offset(struct resumed *u, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    struct http_request request;
    uint64_t offset;
    int r = http_store_request(u->base.store, "HEAD", u->resource, &request, e);

    if (r < 0)
        return r;
    http_add_header(&request, "Upload-Draft-Interop-Version", RESUME_INTEROP_VERSION);
    if ((r = http_perform(u->base.store->http, &request, &answer, e)) < 0)
        return r;
    if (answer.status == 404 || answer.status == 410)
        return fail_gone(u, e);
    if (!http_store_ok(&answer))
        return http_resume_fail(u->base.store, &request, &answer, e);
    if (!resume_answer_uint(&answer, "Upload-Offset", &offset))
        return err_set(e, -FAULT_GONE, "http: %s is no upload: it begins anew", u->resource);
    u->offset = offset;
    u->unsure = false;
    return 0;
}

/* --- the beginning ------------------------------------------------------------------------------------------------ */

static int begin(struct resumed *u, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    struct http_store *s = u->base.store;
    CLEANUP_FREE char *url = http_store_url(s, u->base.object->key);
    struct http_request request;
    char location[RESUME_LOCATION_MAX];
    int r = http_store_request(s, "PUT", url, &request, e);

    if (r < 0)
        return r;
    http_add_header(&request, "Content-Type", u->base.object->content_type);
    http_add_header(&request, "Upload-Complete", "?0");
    http_add_header(&request, "Upload-Draft-Interop-Version", RESUME_INTEROP_VERSION);
    if ((r = http_store_send(s->http, &request, u->base.events, &answer, e)) < 0)
        return r;
    if (!http_store_ok(&answer))
        return http_resume_fail(s, &request, &answer, e);
    if (!http_header(&answer, "Location", location, sizeof(location)) ||
        !(u->resource = resume_resource_url(s, location)))
        return err_set(e, -FAULT_FORMAT, "http: %s: the server began an upload and does not say where", url);
    if (u->base.events->token)
        u->base.events->token(u->base.events->ctx, u->resource + (s->path - s->base));
    return 0;
}

/* An earlier process's: the server may have more of it than its journal, never less. */
static int go_on(struct resumed *u, const struct upload_past *past, struct err *e)
{
    struct retry_state retry = {.since_ms = clock_mono_ms()};
    struct err failure = {0};
    int r;

    if (!past->token || !(u->resource = resume_resource_url(u->base.store, past->token)))
        return err_set(e, -FAULT_GONE, "http: the journal names no upload of this server: it begins anew");
    u->taken = past->stored_end;
    do
        r = find_offset(u, &failure);
    while (r < 0 && wait_again(&retry, r, u->base.events, &failure));
    if (r == 0 && u->offset < past->stored_end)
        return fail_gone(u, e);
    if (r < 0)
        *e = failure;
    return r;
}

/* --- parts -------------------------------------------------------------------------------------------------------- */

/* One PATCH. 0: the server has said what it has now; -FAULT_BUSY also where its offset is another than ours. */
static int append_once(struct resumed *u, const struct part *p, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    struct http_request request;
    size_t skip = (size_t)(u->offset - u->taken);
    char offset[NUMBER_MAX];
    uint64_t now;
    int r = http_store_request(u->base.store, "PATCH", u->resource, &request, e);

    if (r < 0)
        return r;
    snprintf(offset, sizeof(offset), "%" PRIu64, u->offset);
    http_add_header(&request, "Content-Type", "application/partial-upload");
    http_add_header(&request, "Upload-Offset", offset);
    http_add_header(&request, "Upload-Complete", "?0");
    http_add_header(&request, "Upload-Draft-Interop-Version", RESUME_INTEROP_VERSION);
    request.body = p->data + skip;
    request.body_size = p->size - skip;
    u->unsure = true;
    if ((r = http_perform(u->base.store->http, &request, &answer, e)) < 0)
        return r;
    if (answer.status == 409)
        return err_set(e, -FAULT_BUSY, "http: 409 for PATCH %s: the server has another offset than we", u->resource);
    if (answer.status == 404 || answer.status == 410)
        return fail_gone(u, e);
    if (!http_store_ok(&answer))
        return http_resume_fail(u->base.store, &request, &answer, e);
    u->offset = resume_answer_uint(&answer, "Upload-Offset", &now) ? now : u->taken + p->size;
    u->unsure = false;
    return 0;
}

static int append(struct resumed *u, const struct part *p, struct err *e)
{
    struct retry_state retry = {.since_ms = clock_mono_ms()};
    uint64_t end = u->taken + p->size, before = u->offset;
    struct err failure = {0};
    int r = 0;

    while (r == 0 && (u->offset < end || u->unsure)) {
        r = u->unsure ? find_offset(u, &failure) : 0;
        if (r == 0 && u->offset < u->taken)
            r = fail_gone(u, &failure);
        if (r == 0 && u->offset < end)
            r = append_once(u, p, &failure);
        if (u->offset > before) /* it moves: patience begins anew */
            retry = (struct retry_state){.since_ms = clock_mono_ms()};
        before = u->offset;
        if (r < 0 && wait_again(&retry, r, u->base.events, &failure))
            r = 0;
    }
    if (r < 0)
        *e = failure;
    return r;
}

static int write_part(struct upload *base, struct part *p, struct err *e)
{
    struct resumed *u = (struct resumed *)base;
    const struct upload_events *events = base->events;
    int r = 0;

    if (p->number == 1 && p->last && !u->resource) {
        r = http_resume_put(base->store,
                            &(struct small_object){base->object->key, base->object->content_type, p->data, p->size},
                            events, e);
        base->confirmed = r == 0;
    } else {
        if (!u->resource)
            r = begin(u, e);
        if (r == 0)
            r = append(u, p, e);
    }
    u->taken += p->size;
    events->done(events->ctx, p, r < 0 ? NULL : "");
    return r;
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

/* The answer may have been lost after the server's work: then the same request gets it again. */
static int complete_once(struct resumed *u, const struct whole *w, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    unsigned char sha256[SHA256_DIGEST_LENGTH];
    char offset[NUMBER_MAX], digest[DIGEST_FIELD_MAX];
    struct http_request request;
    int r = http_store_request(u->base.store, "PATCH", u->resource, &request, e);

    if (r < 0)
        return r;
    if (text_unhex(w->sha256, sha256, sizeof(sha256)) < 0)
        return err_set(e, -EINVAL, "http: the digest '%s' is none", w->sha256);
    snprintf(offset, sizeof(offset), "%" PRIu64, w->size);
    http_add_header(&request, "Content-Type", "application/partial-upload");
    http_add_header(&request, "Upload-Offset", offset);
    http_add_header(&request, "Upload-Complete", "?1");
    http_add_header(&request, "Upload-Draft-Interop-Version", RESUME_INTEROP_VERSION);
    http_add_header(&request, "Repr-Digest", digest_field_format(sha256, digest));
    request.body = "";
    if ((r = http_perform(u->base.store->http, &request, &answer, e)) < 0)
        return r;
    if (answer.status == 404 || answer.status == 410)
        return fail_gone(u, e);
    if (!http_store_ok(&answer))
        return http_resume_fail(u->base.store, &request, &answer, e);
    if (!resume_answer_is_complete(&answer))
        return err_set(e, -FAULT_FORMAT, "http: %s: the server does not say that the upload is complete", u->resource);
    u->base.confirmed = resume_answer_has_digest(&answer, sha256);
    return 0;
}

static int commit(struct upload *base, const struct whole *w, struct err *e)
{
    struct resumed *u = (struct resumed *)base;
    struct retry_state retry = {.since_ms = clock_mono_ms()};
    struct err failure = {0};
    int r;

    if (u->taken != w->size)
        return err_set(e, -FAULT_CORRUPT, "http: %s/%s: %" PRIu64 " of %" PRIu64 " bytes were sent", base->store->base,
                       base->object->key, u->taken, w->size);
    if (!u->resource)
        return 0; /* one part was all there is */
    do
        r = complete_once(u, w, &failure);
    while (r < 0 && r != -FAULT_CORRUPT && wait_again(&retry, r, base->events, &failure));
    if (r < 0)
        *e = failure;
    return r;
}

/* --- taking it back ----------------------------------------------------------------------------------------------- */

static int cancel(struct http_store *s, const char *resource, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    struct http_request request;
    int r = http_store_request(s, "DELETE", resource, &request, e);

    if (r == 0)
        r = http_perform(s->http, &request, &answer, e);
    return r < 0 || http_store_ok(&answer) || answer.status == 404 || answer.status == 410
               ? r
               : http_resume_fail(s, &request, &answer, e);
}

static void abort_upload(struct upload *base)
{
    struct resumed *u = (struct resumed *)base;
    struct err ignored;

    if (u->resource)
        (void)cancel(base->store, u->resource, &ignored);
}

static void free_upload(struct upload *base)
{
    struct resumed *u = (struct resumed *)base;

    free(u->resource);
    free(u);
}

static const struct upload_way WAY = {write_part, commit, abort_upload, free_upload};

int http_resume_new(struct http_store *s, const struct upload_start *start, struct upload **ret, struct err *e)
{
    struct resumed *u = calloc(1, sizeof(*u));
    int r;

    if (!u)
        return err_set(e, -ENOMEM, "out of memory");
    u->base = (struct upload){.way = &WAY, .store = s, .object = start->object, .events = start->events};
    if (start->past && (r = go_on(u, start->past, e)) < 0) {
        free_upload(&u->base);
        return r;
    }
    *ret = &u->base;
    return 0;
}

/* A journal may have been written by others: only what answers as an upload is deleted. */
int http_resume_abort(struct sink *sink, const char *key, const char *token, struct err *e)
{
    struct http_store *s = (struct http_store *)sink;
    struct resumed u = {.base = {.store = s}, .resource = NULL};
    int r;

    if (http_direct_is_token(token))
        return http_direct_abort(s, key, token, e);
    u.resource = resume_resource_url(s, token);
    if (!u.resource)
        return err_set(e, -FAULT_GONE, "http: '%s' is no upload of this server", token);
    if ((r = find_offset(&u, e)) == 0)
        r = cancel(s, u.resource, e);
    free(u.resource);
    return r;
}

int http_resume_probe(struct http_store *s, const char *key, struct err *e)
{
    static const struct upload_events NONE = {0};
    const struct object object = {.key = key, .content_type = "application/octet-stream"};
    struct resumed u = {.base = {.store = s, .object = &object, .events = &NONE}};
    int r = begin(&u, e);

    if (r == 0)
        r = cancel(s, u.resource, e);
    free(u.resource);
    return r;
}
