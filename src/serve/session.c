/* SPDX-License-Identifier: Apache-2.0
 *
 * Cookies: the name begins with __Host- where it is only sent by TLS, so that no other host of the domain can set it.
 */
#include "serve/session.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"
#include "serve/form.h"

enum { EXPIRES_TEXT = 24 };

static const char PLAIN[] = "salvage", SECURE[] = "__Host-salvage";

void sessions_init(struct sessions *s, const struct secret *own_key, uint64_t life_s)
{
    const char *bytes = secret_expose(own_key);
    size_t size = secret_size(own_key);

    assert(size > 0 && life_s > 0);
    seal_key_derive(bytes, size, "salvage session 1", &s->cookie);
    seal_key_derive(bytes, size, "salvage link 1", &s->link);
    seal_key_derive(bytes, size, "salvage form 1", &s->form);
    s->life_s = life_s;
}

int session_begin(const struct sessions *s, const struct secret *credential, bool secure, int64_t now_s,
                  struct buf *ret)
{
    char sealed[SEAL_MAX];
    int r = seal_close(&s->cookie, credential, now_s + (int64_t)s->life_s, sealed);

    if (r < 0)
        return r;
    return buf_printf(ret, "%s=%s; Path=/; Max-Age=%" PRIu64 "; HttpOnly; SameSite=Strict%s", secure ? SECURE : PLAIN,
                      sealed, s->life_s, secure ? "; Secure" : "");
}

const char *session_end(bool secure)
{
    return secure ? "__Host-salvage=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure"
                  : "salvage=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict";
}

void session_form_token(const struct sessions *s, const char *caller, char csrf[SEAL_SIGNATURE_HEX])
{
    seal_sign(&s->form, (const char *const[]){caller, NULL}, csrf);
}

int session_find(const struct sessions *s, const struct session_cookie *c, struct secret **ret,
                 char csrf[SEAL_SIGNATURE_HEX])
{
    char sealed[SEAL_MAX];

    if (!c->header || form_cookie(c->header, c->secure ? SECURE : PLAIN, sealed, sizeof(sealed)) < 0)
        return -ENOENT;
    if (seal_open(&s->cookie, sealed, c->now_s, ret) < 0)
        return -ENOENT;
    session_form_token(s, sealed, csrf);
    return 0;
}

int session_link_make(const struct sessions *s, const char *key, const char *by, int64_t expires_s, struct buf *ret)
{
    CLEANUP_FREE char *name = url_encode(by, strlen(by), 0);
    char signature[SEAL_SIGNATURE_HEX], expires[EXPIRES_TEXT];

    if (!name)
        return -ENOMEM;
    snprintf(expires, sizeof(expires), "%" PRId64, expires_s);
    seal_sign(&s->link, (const char *const[]){key, by, expires, NULL}, signature);
    return buf_printf(ret, "expires=%s&by=%s&signature=%s", expires, name, signature);
}

int session_link_check(const struct sessions *s, const struct session_link *link, int64_t now_s)
{
    uint64_t expires;

    if (!link->key || !link->by || !link->expires || !link->signature)
        return -EBADMSG;
    if (seal_check(&s->link, (const char *const[]){link->key, link->by, link->expires, NULL}, link->signature) < 0)
        return -EBADMSG;
    return text_parse_uint(link->expires, INT64_MAX, &expires) == 0 && (int64_t)expires > now_s ? 0 : -EBADMSG;
}
