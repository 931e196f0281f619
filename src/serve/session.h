/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions of browsers, and links that end. A session is a cookie with the caller's credential in it, sealed: nothing
 * is kept here, each request is identified anew by that credential, and a token that is withdrawn ends its sessions. A
 * link is a key of an object with a time and a signature.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/secret.h"
#include "serve/seal.h"

enum { SESSION_LINK_MAX_S = 7 * 24 * 3600 };

struct sessions {
    struct seal_key cookie, link, form;
    uint64_t life_s;
};

void sessions_init(struct sessions *s, const struct secret *own_key, uint64_t life_s);

/* The value of Set-Cookie. secure: only ever sent back by TLS. -EMSGSIZE: the credential is too long for a cookie. */
int session_begin(const struct sessions *s, const struct secret *credential, bool secure, int64_t now_s,
                  struct buf *ret);
const char *session_end(bool secure); /* Set-Cookie that forgets it */

/* What a request brings. By TLS only a cookie that came by TLS counts: any other could have been put there. */
struct session_cookie {
    const char *header; /* Cookie; NULL: none */
    bool secure;        /* it came by TLS */
    int64_t now_s;
};

/* 0 with the credential, and with what a form has to bring back (csrf); -ENOENT: no session, or over. */
int session_find(const struct sessions *s, const struct session_cookie *c, struct secret **ret,
                 char csrf[SEAL_SIGNATURE_HEX]);

/* What a form of this caller has to bring back, who comes by something else that browsers send by themselves. */
void session_form_token(const struct sessions *s, const char *caller, char csrf[SEAL_SIGNATURE_HEX]);

/* The query of a link: "expires=…&by=…&signature=…", without '?'. */
int session_link_make(const struct sessions *s, const char *key, const char *by, int64_t expires_s, struct buf *ret);

/* What a link says of itself; NULL: it is not there. */
struct session_link {
    const char *key, *by, *expires, *signature;
};

/* 0; -EBADMSG: not ours, changed, or over. */
int session_link_check(const struct sessions *s, const struct session_link *link, int64_t now_s);
