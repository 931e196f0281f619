/* SPDX-License-Identifier: Apache-2.0
 *
 * POST below /-/gateway/, and what the answers mean.
 */
#include "store/http/gateway_client.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/http/http_redirect.h"

void http_direct_note(struct http_store *s, const struct http_answer *answer)
{
    char offer[16];

    if (http_store_ok(answer) && http_header(answer, GATEWAY_OFFER, offer, sizeof(offer)) &&
        text_eq(offer, GATEWAY_VERSION))
        s->direct = DIRECT_OFFERED;
}

/* The prefix of our URL is part of the key, as the server sees it. */
static char *question_url(const struct http_store *s, enum gateway_verb verb, const char *key)
{
    CLEANUP_FREE char *encoded = url_encode(key, strlen(key), 1);
    char *url;

    if (!encoded || asprintf(&url, "%.*s/" GATEWAY_PATH "%s%s/%s", (int)(s->path - s->base), s->base,
                             gateway_verb_name(verb), s->path, encoded) < 0)
        return NULL;
    return url;
}

static int fail_answer(const struct http_store *s, const struct http_request *r, const struct http_answer *a,
                       struct err *e)
{
    switch (a->status) {
    case 404: /* what one may not see does not exist */
        return err_set(
            e, -FAULT_DENIED,
            "http: 404 for %s %s: these credentials may not write there: check which namespaces they are for",
            r->method, r->url);
    case 410:
        return err_set(e, -FAULT_GONE, "http: the server no longer has the upload: it begins anew");
    case 501:
        return err_set(e, -FAULT_REFUSED, "http: the server wants objects to pass through it");
    default:
        return http_resume_fail(s, r, a, e);
    }
}

int gateway_client_ask(struct gateway_client *c, const struct gateway_call *call, struct http_answer *answer,
                       struct err *e)
{
    CLEANUP_FREE char *url = question_url(c->store, call->verb, c->key), *text = NULL;
    struct http_request request;
    int r = http_store_request(c->store, "POST", url, &request, e);

    assert(call->http && (call->body || call->verb == GATEWAY_BEGIN));
    if (r == 0 && call->body && gateway_question_encode(call->verb, call->body, &text) < 0)
        r = err_set(e, -ENOMEM, "out of memory");
    if (r < 0)
        return r;
    http_add_header(&request, "Content-Type", call->verb == GATEWAY_BEGIN ? c->content_type : "application/json");
    request.body = text ? text : "";
    request.body_size = text ? strlen(text) : 0;
    r = c->once ? http_perform(call->http, &request, answer, e)
                : http_store_send(call->http, &request, &c->events, answer, e);
    if (r < 0)
        return r;
    return http_store_ok(answer) ? 0 : fail_answer(c->store, &request, answer, e);
}

static int fail_format(const struct gateway_client *c, int result, struct err *e)
{
    if (result == -ENOMEM)
        return err_set(e, result, "out of memory");
    return err_set(e, -FAULT_FORMAT, "http: %s: the server's answer to a direct upload cannot be understood",
                   c->store->base);
}

int gateway_client_open(struct gateway_client *c, const char *token, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    const struct gateway_question body = {.token = (char *)token};
    const struct gateway_call call = {c->store->http, token ? GATEWAY_RESUME : GATEWAY_BEGIN, token ? &body : NULL};
    int r = gateway_client_ask(c, &call, &answer, e);

    if (r < 0)
        return r;
    r = gateway_upload_decode(buf_text(&answer.body), answer.body.size, &c->upload);
    return r < 0 ? fail_format(c, r, e) : 0;
}

int gateway_client_part(struct gateway_client *c, struct http *h, const struct gateway_part *part,
                        struct handed_request *ret, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    const struct gateway_question body = {.token = c->upload.token, .part = *part};
    int r = gateway_client_ask(c, &(struct gateway_call){h, GATEWAY_PART, &body}, &answer, e);

    if (r < 0)
        return r;
    if ((r = gateway_request_decode(buf_text(&answer.body), answer.body.size, ret)) < 0)
        return fail_format(c, r, e);
    if (!http_redirect_may_go(c->store->base, secret_expose(ret->url)))
        return err_set(e, -FAULT_REFUSED, "http: the bucket has no TLS, and the server has: nothing is sent there");
    return 0;
}

void gateway_client_cancel(struct gateway_client *c)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    const struct gateway_question body = {.token = c->upload.token};
    struct err ignored;

    if (c->upload.token)
        (void)gateway_client_ask(c, &(struct gateway_call){c->store->http, GATEWAY_ABORT, &body}, &answer, &ignored);
    free(TAKE_PTR(c->upload.token));
}

int http_direct_probe(struct http_store *s, const char *key, struct err *e)
{
    struct gateway_client c = {.store = s, .key = key, .content_type = "application/octet-stream", .once = true};
    int r = gateway_client_open(&c, NULL, e);

    gateway_client_cancel(&c);
    return r;
}

bool http_direct_is_token(const char *token)
{
    return text_starts(token, "sha256:") || text_starts(token, "md5:");
}

int http_direct_abort(struct http_store *s, const char *key, const char *token, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    struct gateway_client c = {.store = s, .key = key};
    const struct gateway_question body = {.token = (char *)token};
    int r = gateway_client_ask(&c, &(struct gateway_call){s->http, GATEWAY_ABORT, &body}, &answer, e);

    return r == -FAULT_GONE ? 0 : r;
}
