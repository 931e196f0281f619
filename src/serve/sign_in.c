/* SPDX-License-Identifier: Apache-2.0
 *
 * Browsers sign in with a token, and out; and links that end are made for an object.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"
#include "serve/credential.h"
#include "serve/form.h"
#include "serve/page.h"
#include "serve/route.h"
#include "serve/session.h"
#include "serve/sign_in_page.h"

enum { FORM_MAX = 32 * 1024, PATH_MAX_SIZE = 2048, LINK_DEFAULT_MS = 24 * 3600 * 1000 };

static const char LOGIN[] = REQUEST_OWN "login", LOGOUT[] = REQUEST_OWN "logout", LINK[] = REQUEST_OWN "link",
                  HOME[] = "/" REQUEST_OWN "cases";

static void form_free(void *form)
{
    buf_wipe(form);
    free(form);
}

static int take_form(struct exchange *x, const void *data, size_t size)
{
    struct request *r = exchange_state(x);

    return buf_add(r->state, data, size);
}

/* "" without, or if it leads elsewhere. */
static void take_next(const struct buf *form, char *out)
{
    if (form_field(buf_text(form), form->size, "next", out, PATH_MAX_SIZE) < 0 || !form_is_local_path(out))
        *out = '\0';
}

static void see_other(struct exchange *x, const char *path)
{
    exchange_add_header(x, "Location", path);
    exchange_add_header(x, "Cache-Control", "no-store");
    exchange_answer_text(x, 303, "%s", path);
}

static void refuse(struct request *r, int result, const struct err *e, const char *next)
{
    unsigned status = result == -FAULT_CREDENTIALS ? 401
                      : result == -FAULT_BUSY      ? 429
                      : result == -FAULT_USAGE     ? 400
                                                   : 503;

    sign_in_page(r, status, next, e->msg);
}

static int sign_in_with(struct request *r, const char *token, struct buf *cookie, struct err *e)
{
    struct secret *secret = secret_new(token, strlen(token));
    struct caller *caller = NULL;
    int result = secret ? access_sign_in(r->serve->access, r->exchange, secret, &caller, cookie, e)
                        : err_set(e, -ENOMEM, "out of memory");

    secret_free(secret);
    if (result < 0)
        return result;
    caller_free(r->caller);
    r->caller = caller;
    request_audit(r, "sign-in", NULL, 0);
    return 0;
}

static void end_of_login(struct exchange *x)
{
    struct request *r = exchange_state(x);
    CLEANUP(buf_done) struct buf cookie = {0};
    const struct buf *form = r->state;
    char token[CREDENTIAL_MAX + 1], next[PATH_MAX_SIZE];
    struct err e = {0};
    int result, size;

    take_next(form, next);
    size = form_field(buf_text(form), form->size, "token", token, sizeof(token));
    result =
        size <= 0 ? err_set(&e, -FAULT_USAGE, "there is no token in the form") : sign_in_with(r, token, &cookie, &e);
    explicit_bzero(token, sizeof(token));
    if (result < 0) {
        refuse(r, result, &e, next);
        return;
    }
    exchange_add_header(x, "Set-Cookie", buf_text(&cookie));
    see_other(x, *next ? next : HOME);
}

static void login(struct request *r)
{
    static const struct exchange_body BODY = {.data = take_form, .end = end_of_login};
    const char *next = exchange_query(r->exchange, "next");
    struct buf *form;

    if (!text_eq(exchange_method(r->exchange), "POST")) {
        sign_in_page(r, 200, next && form_is_local_path(next) ? next : "", NULL);
        return;
    }
    if (exchange_body_size(r->exchange) > FORM_MAX) {
        exchange_answer_text(r->exchange, 413, "a form has at most %d bytes", FORM_MAX);
        return;
    }
    if (!(form = calloc(1, sizeof(*form)))) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    form->ceiling = FORM_MAX;
    r->state = form;
    r->state_done = form_free;
    exchange_receive(r->exchange, &BODY);
}

static void logout(struct request *r)
{
    exchange_add_header(r->exchange, "Set-Cookie", access_sign_out(r->serve->access, r->exchange));
    exchange_add_header(r->exchange, "Clear-Site-Data", "\"cache\"");
    see_other(r->exchange, "/-/login");
}

/* Whether the caller may read what is to be linked to; else it is answered. */
static bool may_link(struct request *r, const char *key)
{
    if (!*key || *key == '/' || key[strlen(key) - 1] == '/' || text_starts(key, REQUEST_OWN)) {
        exchange_answer_text(r->exchange, 400, "key=… names an object, as its URL does");
        return false;
    }
    request_use_rights_to(r, key);
    return request_may(r, RIGHT_READ);
}

static void make_link(struct request *r)
{
    const char *key = exchange_query(r->exchange, "key"), *life = exchange_query(r->exchange, "for");
    CLEANUP_FREE char *path = key ? url_encode(key, strlen(key), 1) : NULL;
    CLEANUP(buf_done) struct buf url = {0};
    uint64_t life_ms = LINK_DEFAULT_MS;
    int64_t expires;

    if (!may_link(r, key ? key : ""))
        return;
    if ((life && text_parse_duration(life, &life_ms) < 0) || life_ms < 1000 || life_ms / 1000 > SESSION_LINK_MAX_S) {
        exchange_answer_text(r->exchange, 400, "for=… is how long the link lasts: 1h, 3d; at most 7d");
        return;
    }
    expires = clock_wall_ns() / 1000000000 + (int64_t)(life_ms / 1000);
    if (!path || buf_printf(&url, "/%s?", path) < 0 ||
        access_link(r->serve->access, r->caller, key, expires, &url) < 0) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    request_audit(r, "link", key, 0);
    if (page_is_wanted(r->exchange)) {
        sign_in_link_page(r, buf_text(&url), expires);
        return;
    }
    exchange_add_header(r->exchange, "Cache-Control", "no-store");
    exchange_answer_text(r->exchange, 201, "%s", buf_text(&url));
}

void sign_in(struct request *r)
{
    bool post = text_eq(exchange_method(r->exchange), "POST");

    if (text_eq(r->key, LOGIN))
        login(r);
    else if (text_eq(r->key, LOGOUT) && post)
        logout(r);
    else if (text_eq(r->key, LINK) && post)
        make_link(r);
    else
        exchange_answer_text(r->exchange, 405, "by POST only");
}
