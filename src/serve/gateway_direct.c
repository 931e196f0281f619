/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads whose parts a shipper sends to the bucket itself (store/http/gateway_protocol.h): begun, signed and completed
 * here. Nothing is kept from one request to the next: the bucket knows the upload, the shipper its name, and the right
 * to write the key is asked for each time. An upload's name is of use for its own key alone: the bucket sees to that.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/gateway.h"
#include "serve/root.h"
#include "serve/upload_finish.h"
#include "serve/upload_memory.h"
#include "ship/manifest.h"
#include "store/http/gateway_protocol.h"

enum { MS_PER_S = 1000, MEMORY_WAIT_MS = 2000, JSON_FACTOR = 4 /* of the text's size, once it is decoded */ };

/* The body of a request, as it comes. */
struct direct {
    enum gateway_verb verb;
    struct buf body;
    struct upload_memory *memory;
    char *namespace;
    uint64_t claimed;
};

static void direct_free(void *state)
{
    struct direct *d = state;

    upload_memory_release(d->memory, d->namespace, d->claimed);
    buf_done(&d->body);
    free(d->namespace);
    free(d);
}

static bool is_offered(const struct serve *s)
{
    return s->gateway && gateway_config(s->gateway)->presign_ms > 0 && gateway_ops(s->gateway)->hand_begin;
}

void gateway_direct_offer(struct request *r)
{
    if (is_offered(r->serve))
        exchange_add_header(r->exchange, GATEWAY_OFFER, GATEWAY_VERSION);
}

static void fail(struct request *r, int result, const struct err *e)
{
    switch (result) {
    case -FAULT_GONE:
        exchange_answer_text(r->exchange, 410, "there is no such upload any more: begin anew");
        break;
    case -FAULT_EXISTS:
        exchange_answer_text(r->exchange, 412, "there is another object of this name: it is not replaced");
        break;
    case -EFBIG:
        exchange_answer_text(r->exchange, 413, "%s", e->msg);
        break;
    case -FAULT_REFUSED:
        log_event(EVENT_GATEWAY_FAILED, LOG_STR("key", r->key), LOG_STR("fault", fault_find(result)->name),
                  LOG_STR("error", e->msg));
        exchange_answer_text(r->exchange, 501, "parts cannot be sent to the bucket: send the object through here");
        break;
    default:
        gateway_fail(r, result, e);
    }
}

static void answer_json(struct request *r, unsigned status, char *text)
{
    if (!text) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    exchange_add_header(r->exchange, "Content-Type", "application/json");
    exchange_add_header(r->exchange, "Cache-Control", "no-store");
    exchange_answer(r->exchange, status, text, strlen(text));
    free(text);
}

/* --- begin, resume, abort ----------------------------------------------------------------------------------------- */

static void handed_upload_done(struct handed_upload *u)
{
    free(u->token);
}

/* Before the digest's name: an upload's parts have all the same. */
static int token_format(const struct handed_upload *u, struct buf *ret)
{
    return buf_printf(ret, "%s:%s", u->sums_md5 ? "md5" : "sha256", u->token);
}

/* Borrows text. */
static int token_parse(char *text, struct handed_upload *ret)
{
    char *colon = strchr(text, ':');

    if (!colon || !colon[1] || (!text_starts(text, "md5:") && !text_starts(text, "sha256:")))
        return -EBADMSG;
    *ret = (struct handed_upload){.token = colon + 1, .sums_md5 = text_starts(text, "md5:")};
    return 0;
}

/* What was begun, or is still there. */
static void answer_upload(struct request *r, unsigned status, const struct handed_upload *u)
{
    CLEANUP(buf_done) struct buf token = {0};
    struct handed_upload named = *u;
    char *text = NULL;

    if (token_format(u, &token) == 0) {
        named.token = token.data;
        if (gateway_upload_encode(&named, &text) < 0)
            text = NULL;
    }
    answer_json(r, status, text);
}

/* An object that is there would have to be compared with what comes: that is done on the way through (gateway_put.c).
 */
static int check_free(const struct request *r, struct sink *s, struct err *e)
{
    struct object_info there;
    int result = r->rights & RIGHT_DELETE ? -FAULT_NO_OBJECT : s->ops->stat(s, r->key, &there, e);

    return result == -FAULT_NO_OBJECT ? 0 : result < 0 ? result : err_set(e, -FAULT_EXISTS, "it is there");
}

static int begin(struct request *r, struct sink *s, struct err *e)
{
    CLEANUP(handed_upload_done) struct handed_upload u = {0};
    const struct object o = {.key = r->key, .content_type = exchange_header(r->exchange, "Content-Type")};
    int result = check_free(r, s, e);

    if (result == 0 && (result = s->ops->hand_begin(s, &o, &u, e)) == 0)
        answer_upload(r, 201, &u);
    return result;
}

static void part_ignored(void *ctx, struct part *p, const char *etag)
{
    (void)ctx, (void)p, (void)etag;
}

static const struct upload_events NO_EVENTS = {.done = part_ignored};

/* Asks the bucket. */
static int resume(struct request *r, struct sink *s, const struct handed_upload *u, struct err *e)
{
    const struct object o = {.key = r->key, .id = "0000000000000000"};
    const struct upload_past past = {.token = u->token};
    const struct upload_start start = {.object = &o, .past = &past, .events = &NO_EVENTS};
    struct upload *upload;
    int result = s->ops->upload_new(s, &start, &upload, e);

    if (result < 0)
        return result;
    s->ops->upload_free(upload);
    answer_upload(r, 200, u);
    return 0;
}

static int abort_upload(struct request *r, struct sink *s, const struct handed_upload *u, struct err *e)
{
    int result = s->ops->abort_token(s, r->key, u->token, e);

    if (result == 0)
        exchange_answer(r->exchange, 204, "", 0);
    return result;
}

/* --- parts -------------------------------------------------------------------------------------------------------- */

static int check_size(const struct request *r, uint64_t size, struct err *e)
{
    uint64_t max = r->serve->config.upload.object_max;
    char text[TEXT_SIZE_MAX];

    if (max && size > max)
        return err_set(e, -EFBIG, "an object may have no more than %s here", text_format_size(max, text));
    return 0;
}

static int sign_part(struct request *r, struct sink *s, const struct handed_upload *u, const struct gateway_part *p,
                     struct err *e)
{
    CLEANUP(handed_request_done) struct handed_request made = {0};
    const uint64_t valid_ms = gateway_config(r->serve->gateway)->presign_ms;
    const struct handed_part part = {.key = r->key,
                                     .token = u->token,
                                     .number = p->number,
                                     .size = p->size,
                                     .valid_s = (valid_ms + MS_PER_S - 1) / MS_PER_S,
                                     .digest = p->digest,
                                     .sums_md5 = u->sums_md5};
    char *text = NULL;
    int result = check_size(r, p->size, e);

    if (result < 0 || (result = s->ops->hand_part(s, &part, &made, e)) < 0)
        return result;
    if (gateway_request_encode(&made, &text) < 0)
        text = NULL;
    answer_json(r, 200, text);
    return 0;
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

/* As if we had sent the parts ourselves, and were resumed behind the last. */
static int complete_upload(struct request *r, struct sink *s, const struct upload_past *past, const struct whole *whole,
                           struct err *e)
{
    const struct object o = {.key = r->key, .id = "0000000000000000", .exclusive = !(r->rights & RIGHT_DELETE)};
    const struct upload_start start = {.object = &o, .past = past, .events = &NO_EVENTS};
    struct upload *upload;
    struct err ignored;
    int result = s->ops->upload_new(s, &start, &upload, e);

    if (result < 0)
        return result;
    if ((result = s->ops->commit(upload, whole, e)) == 0)
        result = s->ops->verify(upload, whole, true, e);
    s->ops->upload_free(upload);
    if (result == -FAULT_EXISTS)
        (void)s->ops->abort_token(s, r->key, past->token, &ignored);
    return result < 0 ? result : 0; /* 1: we may write and not read */
}

static int complete(struct request *r, struct sink *s, const struct handed_upload *u, const struct gateway_question *q,
                    struct err *e)
{
    const struct upload_past past = {.token = u->token,
                                     .count = q->count,
                                     .etags = (const char *const *)q->etags,
                                     .sizes = q->sizes,
                                     .stored_end = q->size,
                                     .at_end = true};
    const struct whole whole = {.size = q->size};
    int result = check_size(r, q->size, e);

    if (result < 0 || (result = complete_upload(r, s, &past, &whole, e)) < 0)
        return result;
    serve_stored(r->serve, r->key, q->size);
    request_audit(r, "upload", NULL, q->size);
    exchange_answer(r->exchange, 201, "", 0);
    return 0;
}

/* --- requests ----------------------------------------------------------------------------------------------------- */

/* 0 after it has answered. */
static int work_on(struct request *r, struct sink *s, struct gateway_question *q, struct err *e)
{
    const struct direct *d = r->state;
    struct handed_upload u = {0};

    if (d->verb != GATEWAY_BEGIN && token_parse(q->token, &u) < 0)
        return -FAULT_GONE;
    switch (d->verb) {
    case GATEWAY_BEGIN:
        return begin(r, s, e);
    case GATEWAY_RESUME:
        return resume(r, s, &u, e);
    case GATEWAY_PART:
        return sign_part(r, s, &u, &q->part, e);
    case GATEWAY_COMPLETE:
        return complete(r, s, &u, q, e);
    default:
        return abort_upload(r, s, &u, e);
    }
}

static int on_body(struct exchange *x, const void *data, size_t size)
{
    struct direct *d = ((struct request *)exchange_state(x))->state;

    if (buf_add(&d->body, data, size) == 0)
        return 0;
    exchange_answer_text(x, 413, "the body is too large");
    return -EMSGSIZE;
}

static void on_end(struct exchange *x)
{
    CLEANUP(gateway_question_done) struct gateway_question q = {0};
    struct request *r = exchange_state(x);
    struct direct *d = r->state;
    struct gateway *g = r->serve->gateway;
    struct sink *s;
    struct err e = {0};
    int result = gateway_question_decode(d->verb, buf_text(&d->body), d->body.size, &q);

    if (result < 0) {
        exchange_answer_text(x, result == -ENOMEM ? 503 : 400, "this is no request to %s an upload",
                             gateway_verb_name(d->verb));
        return;
    }
    if (d->verb == GATEWAY_PART) { /* sends nothing to the bucket */
        if ((result = sink_pool_take(gateway_sinks(g), &s, &e)) == 0) {
            result = work_on(r, s, &q, &e);
            sink_pool_give(gateway_sinks(g), s);
        }
    } else if ((result = gateway_take(g, &s, &e)) == 0) {
        result = work_on(r, s, &q, &e);
        gateway_give(g, s, result);
    }
    if (result < 0)
        fail(r, result, &e);
}

/* What the path names is what this request is about. */
static int take_key(struct request *r, const char *key)
{
    CLEANUP_FREE char *own = strdup(key), *namespace = strndup(key, key[strcspn(key, "/")] ? strcspn(key, "/") : 0);

    if (!own || !namespace)
        return -ENOMEM;
    free(r->key);
    free(r->namespace);
    r->key = TAKE_PTR(own);
    r->namespace = TAKE_PTR(namespace);
    r->rights = caller_rights(r->serve->access, r->caller, r->namespace);
    return 0;
}

/* Large bodies are few, and count as uploads do. */
static bool claim(struct request *r, struct direct *d)
{
    int64_t size = exchange_body_size(r->exchange);
    uint64_t most = d->verb == GATEWAY_COMPLETE ? GATEWAY_TEXT_MAX : GATEWAY_SMALL_TEXT_MAX;

    d->body.ceiling = (size_t)most;
    if (size < 0 || (uint64_t)size > most) {
        exchange_answer_text(r->exchange, size < 0 ? 411 : 413, "a body of at most %llu bytes is expected",
                             (unsigned long long)most);
        return false;
    }
    if (size <= GATEWAY_SMALL_TEXT_MAX)
        return true;
    if (upload_memory_claim(d->memory, d->namespace, JSON_FACTOR * (uint64_t)size, MEMORY_WAIT_MS) < 0) {
        exchange_add_header(r->exchange, "Retry-After", "5");
        exchange_answer_text(r->exchange, 503, "other uploads have all the memory there is for them: try again");
        return false;
    }
    d->claimed = JSON_FACTOR * (uint64_t)size;
    return true;
}

static void receive(struct request *r, enum gateway_verb verb)
{
    static const struct exchange_body BODY = {.data = on_body, .end = on_end};
    struct direct *d = calloc(1, sizeof(*d));

    if (!d || !(d->namespace = strdup(r->namespace))) {
        free(d);
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    d->verb = verb;
    d->memory = gateway_upload_memory(r->serve->gateway);
    r->state = d;
    r->state_done = direct_free;
    if (claim(r, d))
        exchange_receive(r->exchange, &BODY);
}

void gateway_direct(struct request *r)
{
    const char *key = "";
    enum gateway_verb verb = gateway_verb_find(r->key + strlen(GATEWAY_PATH), &key);

    if (verb == GATEWAY_VERB_END || !is_offered(r->serve) || !*key || key[strlen(key) - 1] == '/') {
        exchange_answer_text(r->exchange, 404, "not found");
        return;
    }
    if (take_key(r, key) < 0)
        exchange_answer_text(r->exchange, 503, "out of memory");
    else if (!request_may(r, RIGHT_WRITE))
        return;
    else if (root_hides(r->key))
        exchange_answer_text(r->exchange, 403, "names that begin with '.' are not served");
    else if (text_ends(r->key, MANIFEST_SUFFIX)) /* is looked into on its way */
        exchange_answer_text(r->exchange, 501, "a manifest passes through here");
    else
        receive(r, verb);
}
