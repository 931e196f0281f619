/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may what. The caller of each request is identified once; the rights are by namespace, the first part of a key.
 * What a caller may not see does not exist for them (404). docs/security.md says what each kind of caller is trusted
 * with.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "net/http_server.h"

enum right {
    RIGHT_LIST = 1,     /* see cases, and read why: manifests, OOM records */
    RIGHT_READ = 2,     /* download evidence and look into it: it holds secrets */
    RIGHT_WRITE = 4,    /* add objects, never over what is there */
    RIGHT_DELETE = 8,   /* delete, pin, replace */
    RIGHT_ADMIN = 16,   /* metrics, and everything of every namespace */
    RIGHT_AGENT = 64,   /* take requests for evidence of pods (captures.h): no other right has it in it */
    RIGHT_UNKNOWN = 32, /* not a right: who could tell does not answer, so more rights than these are possible */
};

struct access;
struct kube_access_config; /* serve/kube_access.h */
struct oidc_config;        /* serve/oidc.h */
struct trusted_proxies;    /* serve/trusted_proxy.h */
struct claim_rules;        /* serve/claims.h */
struct caller;             /* owned by its request */

/* Texts are borrowed, and live as long as the server. */
struct access_config {
    const char *root;   /* --root: where the token of a first start is kept; NULL: none is made */
    const char *tokens; /* --tokens */
    const struct kube_access_config *kubernetes; /* NULL: no --kubernetes */
    const struct oidc_config *oidc;              /* NULL: no --oidc-issuer */
    const struct trusted_proxies *proxies;       /* --trust-proxy: their X-Forwarded-… are believed; NULL: none */
    const struct claim_rules *proxy_rules;       /* what X-Forwarded-Groups gives: prefix, and admin as a group */
    const char *cookie_key; /* --cookie-key: shared by replicas; NULL: the root's, or one of this process */
    uint64_t session_ms;    /* --session: how long a sign-in of a browser lasts */
    bool new_token;         /* --new-token: the root's token is made anew */
    bool anonymous_read;    /* --anonymous-read */
};

/* root_fd: of config->root, -1 without; for this call. */
int access_new(const struct access_config *config, int root_fd, struct access **ret, struct err *e);
void access_free(struct access *a);

/* Keeps the digest of a token that was made at this start: once nothing can keep it from being shown. */
int access_keep_token(const struct access *a, int root_fd, struct err *e);

/* The token that was made at this start, to be shown once; NULL: none was. Borrowed. */
const struct secret *access_made_token(const struct access *a);

/* Identifies the caller; key: what the request names, decoded. 0; -FAULT_CREDENTIALS: what it presents is not valid
 * (401); -FAULT_BUSY with e->retry_after_ms: too many failures from there (429); -FAULT_UNREACHABLE: who could tell
 * does not answer (503); -FAULT_USAGE: what a proxy says of it contradicts itself (400). A caller who presents nothing
 * is "anonymous". */
int access_identify(struct access *a, const struct exchange *x, const char *key, struct caller **ret, struct err *e);
void caller_free(struct caller *c);

/* For the audit line: "token:ci", "serviceaccount:shop/cart", "anonymous". */
const char *caller_name(const struct caller *c);
bool caller_is_anonymous(const struct caller *c);

/* What the caller may do in which namespaces, as patterns ("shop,pay-*"), as far as that is known without asking an API
 * server. fn returns 0, or negative to break off with that. */
int caller_each_grant(const struct caller *c, int (*fn)(void *ctx, const char *namespaces, unsigned rights), void *ctx);

/* What a form has to bring back in its query (csrf=…), or a script in the header X-Csrf-Token, if it changes anything;
 * "": nothing. Borrowed. */
const char *caller_csrf(const struct caller *c);

/* Whether Kubernetes lets the caller `create pods/exec` of this pod: 1, 0; -FAULT_CREDENTIALS with a sentence: the
 * caller is nobody whom Kubernetes knows; -FAULT_UNREACHABLE. */
int caller_may_exec(struct access *a, const struct caller *c, const char *namespace, const char *pod, struct err *e);

/* The node that the caller's token is bound to (Kubernetes 1.30 and newer); "": none. Borrowed. */
const char *caller_node(const struct caller *c);

/* Where a request comes from, and whether by TLS: as a trusted proxy says, else as the connection is. */
const char *access_client(const struct access *a, const struct exchange *x, char out[HTTP_LISTEN_MAX]);
bool access_is_tls(const struct access *a, const struct exchange *x);

/* Whether a request that changes something comes from our own pages, or from no page at all. */
bool access_is_same_origin(const struct access *a, const struct exchange *x);

/* Signs a browser in with a token: the caller, and the value of Set-Cookie. As access_identify; -FAULT_USAGE: the token
 * is too long for a cookie. */
int access_sign_in(struct access *a, const struct exchange *x, const struct secret *token, struct caller **ret,
                   struct buf *ret_cookie, struct err *e);
const char *access_sign_out(const struct access *a, const struct exchange *x); /* Set-Cookie */

/* The query of a link to the object `key`, which lets anybody download it until then, in the caller's name. */
int access_link(const struct access *a, const struct caller *c, const char *key, int64_t expires_s, struct buf *ret);

/* A set of enum right in one namespace ("": objects without one; "*": in every one). May ask an API server. */
unsigned caller_rights(struct access *a, struct caller *c, const char *namespace);

/* RIGHT_LIST or nothing, or RIGHT_UNKNOWN: the same with a third of the questions. */
unsigned caller_may_list(struct access *a, struct caller *c, const char *namespace);

/* The same for many namespaces into ret[count]: an API server is asked several questions at a time. What it answers is
 * known for a while after that. */
void caller_may_list_each(struct access *a, struct caller *c, const char *const *namespaces, size_t count,
                          unsigned *ret);
