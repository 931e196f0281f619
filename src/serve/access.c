/* SPDX-License-Identifier: Apache-2.0
 *
 * Callers and their rights: which proof of who they are a request brings, and who can tell what it is worth.
 */
#include "serve/access.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/caller.h"
#include "serve/credential.h"
#include "serve/first_token.h"
#include "serve/kube_access.h"
#include "serve/login_limit.h"
#include "serve/oidc.h"
#include "serve/own_key.h"
#include "serve/proxied_caller.h"
#include "serve/same_origin.h"
#include "serve/session.h"
#include "serve/state_folder.h"
#include "serve/token_set.h"
#include "serve/trusted_proxy.h"

struct access {
    struct access_config config;
    struct token_set *tokens;
    struct login_limit *limit;
    struct sessions sessions;
    struct kube_access *kubernetes; /* NULL: none */
    struct oidc *oidc;              /* NULL: none */
    struct secret *made;
};

DEFINE_CLEANUP(struct access *, access_free)
DEFINE_CLEANUP(struct caller *, caller_free)
DEFINE_CLEANUP(struct secret *, secret_free)

/* Whether anybody could get in without the root's token. */
static bool has_other_ways(const struct access_config *c)
{
    return c->tokens || c->kubernetes || c->oidc || c->proxies;
}

static int check_without_root(const struct access_config *c, struct err *e)
{
    if (c->new_token)
        return err_set(e, -FAULT_USAGE, "--new-token: only a store with --root keeps a token");
    if (!has_other_ways(c) && !c->anonymous_read)
        return err_set(e, -FAULT_USAGE,
                       "serve: who may use it? --tokens FILE, --kubernetes, --oidc-issuer URL, or --anonymous-read");
    return 0;
}

static int open_root_token(struct access *a, int state, struct err *e)
{
    unsigned char hash[TOKEN_HASH];
    int r = 0;

    if (!a->config.new_token && (r = first_token_load(state, hash, e)) < 0)
        return r;
    if (r == 0) {
        if (has_other_ways(&a->config) && !a->config.new_token)
            return 0;
        if ((r = first_token_make(&a->made, e)) < 0)
            return r;
        token_hash_make(secret_expose(a->made), hash);
    }
    token_set_add_admin(a->tokens, hash);
    return 0;
}

static int open_own_key(struct access *a, int state, struct err *e)
{
    CLEANUP(secret_free_ptr) struct secret *key = NULL;
    uint64_t life_s = a->config.session_ms / 1000;
    int r = own_key_get(a->config.cookie_key, state, &key, e);

    if (r < 0)
        return r;
    sessions_init(&a->sessions, key, life_s ? life_s : 1);
    return 0;
}

static int open_state(struct access *a, int root_fd, struct err *e)
{
    CLEANUP_FD int state = -1;
    int r;

    if (root_fd < 0 && (r = check_without_root(&a->config, e)) < 0)
        return r;
    if (root_fd >= 0 && (state = state_folder_open(root_fd, e)) < 0)
        return state;
    if (state >= 0 && (r = open_root_token(a, state, e)) < 0)
        return r;
    return open_own_key(a, state, e);
}

int access_new(const struct access_config *config, int root_fd, struct access **ret, struct err *e)
{
    CLEANUP(access_free_ptr) struct access *a = calloc(1, sizeof(*a));
    int r;

    assert(config && ret && (config->root != NULL) == (root_fd >= 0));
    if (!a)
        return err_set(e, -ENOMEM, "out of memory");
    a->config = *config;
    if (!(a->limit = login_limit_new()))
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = token_set_new(config->tokens, &a->tokens, e)) < 0)
        return r;
    if ((r = open_state(a, root_fd, e)) < 0)
        return r;
    if (config->kubernetes && (r = kube_access_new(config->kubernetes, &a->kubernetes, e)) < 0)
        return r;
    if (config->oidc && (r = oidc_new(config->oidc, &a->oidc, e)) < 0)
        return r;
    *ret = TAKE_PTR(a);
    return 0;
}

void access_free(struct access *a)
{
    if (!a)
        return;
    token_set_free(a->tokens);
    kube_access_free(a->kubernetes);
    oidc_free(a->oidc);
    login_limit_free(a->limit);
    secret_free(a->made);
    free(a);
}

int access_keep_token(const struct access *a, int root_fd, struct err *e)
{
    CLEANUP_FD int state = -1;
    int r;

    if (!a->made)
        return 0;
    if ((state = state_folder_open(root_fd, e)) < 0)
        return state;
    if ((r = first_token_keep(state, a->made, e)) == 0)
        log_event(EVENT_TOKEN_MADE, LOG_STR("root", a->config.root));
    return r;
}

const struct secret *access_made_token(const struct access *a)
{
    return a->made;
}

static int64_t now_s(void)
{
    return clock_wall_ns() / 1000000000;
}

static int refuse(struct access *a, const char *address, struct err *e)
{
    unsigned failures;

    if (login_limit_failed(a->limit, address, clock_mono_ms(), &failures))
        log_event(EVENT_SIGN_IN_FAILED, LOG_STR("client", address), LOG_UINT("failures", failures));
    return err_set(e, -FAULT_CREDENTIALS, "this token is not valid here");
}

/* 1: it is known; 0: it is not; -FAULT_CREDENTIALS: it is, and does not count. */
static int find_credential(struct access *a, const struct secret *credential, const unsigned char hash[TOKEN_HASH],
                           struct caller *ret, struct err *e)
{
    int r = token_set_find(a->tokens, hash, ret);

    if (r != 0)
        return r < 0 ? err_set(e, r, "out of memory") : r;
    if (a->oidc && oidc_is_concerned(a->oidc, credential))
        return oidc_identify(a->oidc, credential, ret, e);
    return a->kubernetes ? kube_access_identify(a->kubernetes, credential, hash, ret, e) : 0;
}

/* One that a client presents. */
static int identify_credential(struct access *a, const char *address, const struct secret *credential,
                               struct caller *ret, struct err *e)
{
    unsigned char hash[TOKEN_HASH];
    uint64_t wait_ms;
    int r;

    token_hash_make(secret_expose(credential), hash);
    if ((wait_ms = login_limit_wait(a->limit, address, hash, clock_mono_ms())) > 0) {
        err_set(e, -FAULT_BUSY, "too many tokens from your address were not valid: wait");
        e->retry_after_ms = (unsigned)wait_ms;
        return -FAULT_BUSY;
    }
    if ((r = find_credential(a, credential, hash, ret, e)) < 0)
        return r;
    if (r == 0)
        return refuse(a, address, e);
    login_limit_succeeded(a->limit, hash);
    return 0;
}

/* A session's was valid once, so nothing can be guessed by it: one that no longer is leaves the caller anonymous. 1: it
 * is a session's caller; 0: there is none. */
static int identify_session(struct access *a, const struct exchange *x, struct caller *ret, struct err *e)
{
    const struct session_cookie cookie = {exchange_header(x, "Cookie"), access_is_tls(a, x), now_s()};
    CLEANUP(secret_free_ptr) struct secret *credential = NULL;
    unsigned char hash[TOKEN_HASH];
    char csrf[SEAL_SIGNATURE_HEX];
    int r;

    if (session_find(&a->sessions, &cookie, &credential, csrf) < 0)
        return 0;
    token_hash_make(secret_expose(credential), hash);
    if ((r = find_credential(a, credential, hash, ret, e)) > 0)
        memcpy(ret->csrf, csrf, sizeof(csrf));
    return r == -FAULT_CREDENTIALS ? 0 : r;
}

/* 1: a signed link's caller; 0: there is no link; -FAULT_CREDENTIALS: not ours, or over. */
static int identify_link(struct access *a, const struct exchange *x, const char *key, struct caller *ret, struct err *e)
{
    struct session_link link = {key, exchange_query(x, "by"), exchange_query(x, "expires"),
                                exchange_query(x, "signature")};
    const char *method = exchange_method(x);

    if (!link.signature || !(text_eq(method, "GET") || text_eq(method, "HEAD")))
        return 0;
    if (session_link_check(&a->sessions, &link, now_s()) < 0)
        return err_set(e, -FAULT_CREDENTIALS, "this link is over, or not whole");
    snprintf(ret->name, sizeof(ret->name), "link:%s", link.by);
    ret->here = RIGHT_LIST | RIGHT_READ;
    return 1;
}

static bool is_of_proxy(const struct access *a, const struct exchange *x)
{
    return a->config.proxies && trusted_proxies_has(a->config.proxies, exchange_client(x));
}

/* 1: the caller that a trusted proxy names; 0: it names none, or there is no such proxy. */
static int identify_proxied(const struct access *a, const struct exchange *x, struct caller *ret)
{
    int r = is_of_proxy(a, x) ? proxied_caller_get(x, a->config.proxy_rules, ret) : 0;

    if (r > 0)
        session_form_token(&a->sessions, ret->name, ret->csrf);
    return r;
}

static int identify(struct access *a, const struct exchange *x, const char *key, struct caller *c, struct err *e)
{
    CLEANUP(secret_free_ptr) struct secret *credential = NULL;
    const char *header = exchange_header(x, "Authorization");
    char client[HTTP_LISTEN_MAX];
    int r;

    /* oauth2-proxy adds a password of its own to the user that it names; a client's Bearer it hands on. */
    if ((!header || strncasecmp(header, "Basic ", 6) == 0) && (r = identify_proxied(a, x, c)) != 0)
        return r == -EBADMSG ? err_set(e, -FAULT_USAGE, "the proxy sent X-Forwarded-User, -Email or -Groups twice")
               : r < 0       ? err_set(e, r, "out of memory")
                             : 0;
    access_client(a, x, client);
    if (header && (r = credential_parse(header, &credential)) < 0)
        return r == -EINVAL ? refuse(a, client, e) : err_set(e, r, "out of memory");
    if (credential)
        return identify_credential(a, client, credential, c, e);
    if ((r = identify_link(a, x, key, c, e)) != 0 || (r = identify_session(a, x, c, e)) != 0)
        return r < 0 ? r : 0;
    c->anonymous = true;
    snprintf(c->name, sizeof(c->name), "anonymous");
    return 0;
}

int access_identify(struct access *a, const struct exchange *x, const char *key, struct caller **ret, struct err *e)
{
    CLEANUP(caller_free_ptr) struct caller *c = calloc(1, sizeof(*c));
    int r;

    assert(a && x && key && ret);
    if (!c)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = identify(a, x, key, c, e)) < 0)
        return r;
    *ret = TAKE_PTR(c);
    return 0;
}

const char *access_client(const struct access *a, const struct exchange *x, char out[HTTP_LISTEN_MAX])
{
    const char *header = is_of_proxy(a, x) ? exchange_header_last(x, "X-Forwarded-For") : NULL;

    if (!header || !trusted_proxy_client(header, out, HTTP_LISTEN_MAX))
        snprintf(out, HTTP_LISTEN_MAX, "%s", exchange_client(x));
    return out;
}

bool access_is_tls(const struct access *a, const struct exchange *x)
{
    return exchange_is_tls(x) || (is_of_proxy(a, x) && text_eq(exchange_header_last(x, "X-Forwarded-Proto"), "https"));
}

bool access_is_same_origin(const struct access *a, const struct exchange *x)
{
    return same_origin_is(&(struct same_origin){.fetch_site = exchange_header(x, "Sec-Fetch-Site"),
                                                .origin = exchange_header(x, "Origin"),
                                                .host = exchange_header(x, "Host"),
                                                .tls = access_is_tls(a, x)});
}

int access_sign_in(struct access *a, const struct exchange *x, const struct secret *token, struct caller **ret,
                   struct buf *ret_cookie, struct err *e)
{
    CLEANUP(caller_free_ptr) struct caller *c = calloc(1, sizeof(*c));
    char client[HTTP_LISTEN_MAX];
    int r;

    if (!c)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = identify_credential(a, access_client(a, x, client), token, c, e)) < 0)
        return r;
    if ((r = session_begin(&a->sessions, token, access_is_tls(a, x), now_s(), ret_cookie)) < 0)
        return r == -EMSGSIZE ? err_set(e, -FAULT_USAGE, "this token is too long for a browser's cookie")
                              : err_set(e, r, "%s", strerror(-r));
    *ret = TAKE_PTR(c);
    return 0;
}

const char *access_sign_out(const struct access *a, const struct exchange *x)
{
    return session_end(access_is_tls(a, x));
}

int access_link(const struct access *a, const struct caller *c, const char *key, int64_t expires_s, struct buf *ret)
{
    return session_link_make(&a->sessions, key, c->name, expires_s, ret);
}

void caller_free(struct caller *c)
{
    if (!c)
        return;
    grants_done(&c->grants);
    json_decref(c->kube_user);
    free(c);
}

const char *caller_name(const struct caller *c)
{
    return c->name;
}

bool caller_is_anonymous(const struct caller *c)
{
    return c->anonymous;
}

const char *caller_csrf(const struct caller *c)
{
    return c->csrf;
}

static unsigned rights_of(struct access *a, const struct caller *c, const char *namespace, unsigned wanted)
{
    unsigned rights = a->config.anonymous_read ? RIGHT_LIST | RIGHT_READ : 0;

    rights |= c->here | grants_rights(&c->grants, namespace);
    return c->kube_user ? rights | kube_access_rights(a->kubernetes, c, namespace, wanted & ~rights) : rights;
}

int caller_may_exec(struct access *a, const struct caller *c, const char *namespace, const char *pod, struct err *e)
{
    if (!a->kubernetes)
        return err_set(e, -FAULT_CREDENTIALS, "this server asks no Kubernetes who may do this (--kubernetes)");
    if (!c->kube_user)
        return err_set(e, -FAULT_CREDENTIALS,
                       "%s is no login of Kubernetes, and only Kubernetes can say who may `create pods/exec`: use the "
                       "token of your kubeconfig",
                       c->name);
    return kube_access_may_exec(a->kubernetes, c, namespace, pod);
}

const char *caller_node(const struct caller *c)
{
    return c->node;
}

unsigned caller_rights(struct access *a, struct caller *c, const char *namespace)
{
    return rights_of(a, c, namespace, RIGHT_LIST | RIGHT_READ | RIGHT_DELETE);
}

unsigned caller_may_list(struct access *a, struct caller *c, const char *namespace)
{
    return rights_of(a, c, namespace, RIGHT_LIST) & (RIGHT_LIST | RIGHT_UNKNOWN);
}
