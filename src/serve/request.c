/* SPDX-License-Identifier: Apache-2.0
 *
 * From a path to a key.
 */
#include "serve/request.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"
#include "serve/keypath.h"
#include "serve/page.h"
#include "ship/case_facts.h"
#include "ship/manifest.h"

/* A browser would ask for a user name by itself: Sec-Fetch-Mode is sent by no other client. */
static void challenge(struct exchange *x)
{
    if (!exchange_header(x, "Sec-Fetch-Mode"))
        exchange_add_header(x, "WWW-Authenticate", "Basic realm=\"salvage\", charset=\"UTF-8\"");
    exchange_add_header(x, "WWW-Authenticate", "Bearer realm=\"salvage\"");
}

static bool is_page_of_a_browser(const struct exchange *x)
{
    const char *accept = exchange_header(x, "Accept");

    return text_eq(exchange_method(x), "GET") && accept && strstr(accept, "text/html");
}

/* To the form, and from there back here. */
static void answer_sign_in(struct exchange *x)
{
    const char *path = exchange_path(x);
    CLEANUP_FREE char *next = url_encode(path, strlen(path), 0), *location = NULL;

    if (!next || asprintf(&location, "/" REQUEST_OWN "login?next=%s", next) < 0) {
        location = NULL;
        exchange_answer_text(x, 503, "out of memory");
        return;
    }
    exchange_add_header(x, "Location", location);
    exchange_add_header(x, "Cache-Control", "no-store");
    exchange_answer_text(x, 303, "sign in first");
}

/* Whether the request may change something, and was not made by the caller but by a page of another site. */
static bool is_forged(struct request *r)
{
    static const char *const HARMLESS[] = {"GET", "HEAD", "OPTIONS", "PROPFIND"};
    const char *sent = exchange_header(r->exchange, "X-Csrf-Token"), *wanted = caller_csrf(r->caller);

    for (size_t i = 0; i < ARRAY_SIZE(HARMLESS); i++)
        if (text_eq(exchange_method(r->exchange), HARMLESS[i]))
            return false;
    if (!access_is_same_origin(r->serve->access, r->exchange))
        return true;
    if (!*wanted)
        return false;
    if (!sent)
        sent = exchange_query(r->exchange, "csrf");
    return !sent || strlen(sent) != strlen(wanted) || CRYPTO_memcmp(sent, wanted, strlen(wanted)) != 0;
}

static void answer_unknown(struct request *r, int result, const struct err *e)
{
    struct exchange *x = r->exchange;
    char seconds[16];

    if (result == -FAULT_CREDENTIALS) {
        challenge(x);
        exchange_answer_text(x, 401, "%s", e->msg);
        return;
    }
    if (result == -FAULT_USAGE) {
        exchange_answer_text(x, 400, "%s", e->msg);
        return;
    }
    snprintf(seconds, sizeof(seconds), "%u", e->retry_after_ms ? (e->retry_after_ms + 999) / 1000 : 5);
    exchange_add_header(x, "Retry-After", seconds);
    page_fail(r, result == -FAULT_BUSY ? 429 : 503, e->msg);
}

struct request *request_new(struct serve *s, struct exchange *x)
{
    struct request *r = calloc(1, sizeof(*r));
    struct err e = {0};
    int result;

    if (!r) {
        exchange_answer_text(x, 503, "out of memory");
        return NULL;
    }
    r->serve = s;
    r->exchange = x;
    exchange_set_state(x, r, request_free);
    if ((result = keypath_decode(exchange_path(x), &r->key, &r->namespace)) < 0) {
        page_fail(r, result == -ENOMEM ? 503 : 400, "the path is no key of an object");
        return NULL;
    }
    if ((result = access_identify(s->access, x, r->key, &r->caller, &e)) < 0) {
        answer_unknown(r, result, &e);
        return NULL;
    }
    if (is_forged(r)) {
        r->refused = true;
        exchange_answer_text(x, 403, "this was asked for by a page that is not ours, or is too old: load it again");
        return NULL;
    }
    r->rights = caller_rights(s->access, r->caller, r->namespace);
    return r;
}

void request_free(void *request)
{
    struct request *r = request;

    if (!r)
        return;
    if (r->state_done)
        r->state_done(r->state);
    caller_free(r->caller);
    free(r->object);
    free(r->key);
    free(r->namespace);
    free(r);
}

void request_use_rights_to(struct request *r, const char *key)
{
    CLEANUP_FREE char *namespace = case_namespace(key);

    r->rights = namespace ? caller_rights(r->serve->access, r->caller, namespace) : RIGHT_UNKNOWN;
}

/* Who may write may ask what is there of it: by HEAD for the size and digest of what was stored, and by GET for a
 * manifest whose name it knows, as after a restart it could not find out that its evidence is there. Names hold an id
 * that nobody can guess. */
static unsigned rights_by_method(const struct request *r)
{
    const char *method = exchange_method(r->exchange);

    /* A pin keeps a case: that is for those who may remove it, not for whoever may add evidence. */
    if (text_ends(r->key, CASE_PIN_SUFFIX))
        return r->rights & RIGHT_DELETE ? r->rights | RIGHT_WRITE : r->rights & ~(unsigned)RIGHT_WRITE;
    if (!(r->rights & RIGHT_WRITE))
        return r->rights;
    if (text_eq(method, "HEAD"))
        return r->rights | RIGHT_LIST | RIGHT_READ;
    return text_eq(method, "GET") && text_ends(r->key, MANIFEST_SUFFIX) ? r->rights | RIGHT_LIST : r->rights;
}

bool request_may(struct request *r, unsigned rights)
{
    struct err e = {0};

    if ((rights_by_method(r) & rights) == rights)
        return true;
    r->refused = true;
    if (r->rights & RIGHT_UNKNOWN) {
        err_set(&e, -FAULT_UNREACHABLE, "whether you may cannot be found out just now");
        answer_unknown(r, -FAULT_UNREACHABLE, &e);
    } else if (caller_is_anonymous(r->caller) && is_page_of_a_browser(r->exchange)) {
        answer_sign_in(r->exchange);
    } else if (caller_is_anonymous(r->caller)) {
        err_set(&e, -FAULT_CREDENTIALS, "sign in first");
        answer_unknown(r, -FAULT_CREDENTIALS, &e);
    } else if (r->rights & RIGHT_LIST) {
        err_set(&e, -FAULT_DENIED, "%s may not do this here", caller_name(r->caller));
        page_fail(r, 403, e.msg);
    } else {
        page_fail(r, 404, "not found");
    }
    return false;
}

void request_audit(struct request *r, const char *action, const char *object, uint64_t bytes)
{
    r->action = action;
    free(r->object);
    r->object = object ? strdup(object) : NULL;
    r->bytes = bytes;
}

void request_answer_json(struct request *r, unsigned status, const json_t *root)
{
    CLEANUP_FREE char *text = root ? json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    if (!text) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    exchange_add_header(r->exchange, "Content-Type", "application/json");
    exchange_add_header(r->exchange, "X-Content-Type-Options", "nosniff");
    exchange_add_header(r->exchange, "Cache-Control", "no-store");
    exchange_answer(r->exchange, status, text, strlen(text));
}

void request_fail(struct request *r, int result, const struct err *e)
{
    static const struct {
        int result;
        unsigned status;
    } rows[] = {
        {-FAULT_NO_OBJECT, 404}, {-ENOENT, 404},        {-FAULT_FULL, 507},        {-ENOSPC, 507},
        {-EDQUOT, 507},          {-FAULT_EXISTS, 412},  {-FAULT_UNREACHABLE, 502}, {-FAULT_BUSY, 503},
        {-FAULT_STALLED, 504},   {-FAULT_CORRUPT, 400}, {-FAULT_USAGE, 400},       {-ENOMEM, 503},
    };
    unsigned status = 500;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].result == result)
            status = rows[i].status;
    page_fail(r, status, e->msg);
}
