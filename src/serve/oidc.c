/* SPDX-License-Identifier: Apache-2.0
 *
 * Whoever finds the keys old fetches them, while the others go on with those that are there.
 */
#include "serve/oidc.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/service.h"
#include "net/url.h"
#include "serve/jwks.h"

enum {
    FETCH_MS = 5 * 1000,         /* both documents */
    AGAIN_MS = 60 * 1000,        /* at most so often */
    AGAIN_WITHOUT_MS = 5 * 1000, /* as long as there are no keys at all */
    OLD_MS = 10 * 60 * 1000,
    DISCOVERY_MAX = 64 * 1024,
};

struct oidc {
    struct oidc_config config;
    char *ca_file;        /* NULL: the system's */
    pthread_mutex_t lock; /* of what follows, but for the time of a fetch */
    pthread_cond_t fetch_over;
    struct jwks *keys; /* NULL: none yet */
    bool fetching, tried;
    uint64_t tried_ms, fetched_ms;
};

/* https, or on this machine. */
static bool is_good_address(const char *url)
{
    struct url_parts u;

    if (url_split(url, &u) < 0)
        return false;
    return u.https || (u.host_size == 9 && memcmp(u.host, "127.0.0.1", 9) == 0) ||
           (u.host_size == 5 && memcmp(u.host, "[::1]", 5) == 0);
}

int oidc_new(const struct oidc_config *c, struct oidc **ret, struct err *e)
{
    struct oidc *o;

    assert(c && c->issuer && ret);
    if (!is_good_address(c->issuer) || strpbrk(c->issuer, "?#"))
        return err_set(e, -FAULT_USAGE, "--oidc-issuer %s: an https:// URL, as it stands in the tokens", c->issuer);
    if (!c->audience)
        return err_set(e, -FAULT_USAGE,
                       "--oidc-audience is missing: tokens that the issuer made for others would count");
    if (!c->rules.namespaces && !c->rules.admin)
        return err_set(e, -FAULT_USAGE, "--oidc-namespaces or --oidc-admin: else its tokens give no rights");
    if (c->rules.admin && !claim_admin_is_good(c->rules.admin))
        return err_set(e, -FAULT_USAGE, "--oidc-admin %s: CLAIM=VALUE", c->rules.admin);
    if (!(o = calloc(1, sizeof(*o))))
        return err_set(e, -ENOMEM, "out of memory");
    o->config = *c;
    if (c->ca_file && !(o->ca_file = strdup(c->ca_file))) {
        free(o);
        return err_set(e, -ENOMEM, "out of memory");
    }
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->fetch_over, NULL);
    *ret = o;
    return 0;
}

void oidc_free(struct oidc *o)
{
    if (!o)
        return;
    jwks_free(o->keys);
    free(o->ca_file);
    pthread_mutex_destroy(&o->lock);
    pthread_cond_destroy(&o->fetch_over);
    free(o);
}

/* --- keys -----------------------------------------------------------------------------------------------------------
 */

static int get(const struct service *s, const char *url, struct http_answer *answer, struct err *e)
{
    struct http_request request = {.method = "GET", .url = url};
    int r;

    http_add_header(&request, "Accept", "application/json");
    if ((r = service_ask(s, &request, answer, e)) < 0)
        return r;
    return answer->status == 200 ? 0 : err_set(e, -FAULT_FORMAT, "%s answers %ld", url, answer->status);
}

/* The address of the keys, malloc'ed. */
static int discover(const struct oidc *o, const struct service *s, char **ret, struct err *e)
{
    CLEANUP(service_answer_done) struct http_answer answer = {0};
    CLEANUP_FREE char *url = NULL;
    const char *issuer = o->config.issuer;
    json_auto_t *root = NULL;
    int r;

    if (asprintf(&url, "%s%s.well-known/openid-configuration", issuer, text_ends(issuer, "/") ? "" : "/") < 0) {
        url = NULL;
        return err_set(e, -ENOMEM, "out of memory");
    }
    if ((r = get(s, url, &answer, e)) < 0)
        return r;
    root = json_read_object(buf_text(&answer.body), answer.body.size, DISCOVERY_MAX);
    if (!root || !text_eq(json_read_text(root, "issuer"), issuer))
        return err_set(e, -FAULT_FORMAT, "%s is no discovery document of %s", url, issuer);
    if (!is_good_address(json_read_text(root, "jwks_uri")))
        return err_set(e, -FAULT_FORMAT, "%s names no https:// address of its keys", url);
    *ret = strdup(json_read_text(root, "jwks_uri"));
    return *ret ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int fetch(const struct oidc *o, struct jwks **ret, struct err *e)
{
    struct http_options options = {.ca_file = o->ca_file, .timeout_ms = FETCH_MS};
    CLEANUP(service_done)
    struct service s = {
        .name = "the OpenID Connect issuer", .deadline_ms = clock_mono_ms() + FETCH_MS, .answer_max = JWKS_SIZE_MAX};
    CLEANUP(service_answer_done) struct http_answer answer = {0};
    CLEANUP_FREE char *url = NULL;
    int r;

    if ((r = service_open(&s, &options, e)) < 0 || (r = discover(o, &s, &url, e)) < 0 ||
        (r = get(&s, url, &answer, e)) < 0)
        return r;
    r = jwks_read(buf_text(&answer.body), answer.body.size, ret);
    return r == -EBADMSG ? err_set(e, -FAULT_FORMAT, "%s holds no keys for RS256, PS256 or ES256", url)
           : r < 0       ? err_set(e, r, "out of memory")
                         : 0;
}

/* The lock is held, and given up meanwhile. */
static void fetch_again(struct oidc *o)
{
    struct jwks *keys = NULL;
    struct err e = {0};
    int r;

    o->fetching = o->tried = true;
    pthread_mutex_unlock(&o->lock);
    r = fetch(o, &keys, &e);
    if (r < 0)
        log_event(EVENT_ISSUER_UNREACHABLE, LOG_STR("what", "oidc"), LOG_STR("error", e.msg));
    pthread_mutex_lock(&o->lock);
    if (r == 0) {
        jwks_free(o->keys);
        o->keys = keys;
        o->fetched_ms = clock_mono_ms();
    }
    o->fetching = false;
    o->tried_ms = clock_mono_ms(); /* at its end: who waited for it does not begin the next one */
    pthread_cond_broadcast(&o->fetch_over);
}

static bool may_fetch(const struct oidc *o)
{
    return !o->tried || clock_mono_ms() - o->tried_ms >= (o->keys ? AGAIN_MS : AGAIN_WITHOUT_MS);
}

/* The lock is held. Whether a key for this token is there, after a fetch if need be. */
static bool provide_key(struct oidc *o, const struct jwt *t)
{
    bool known = o->keys && jwks_has(o->keys, t);

    if (known && clock_mono_ms() - o->fetched_ms < OLD_MS)
        return true;
    while (!known && o->fetching) {
        pthread_cond_wait(&o->fetch_over, &o->lock);
        known = o->keys && jwks_has(o->keys, t);
    }
    if (!o->fetching && may_fetch(o))
        fetch_again(o);
    return o->keys && jwks_has(o->keys, t);
}

static int check_signature(struct oidc *o, const struct jwt *t, const struct secret *token, struct err *e)
{
    int r = 0;

    pthread_mutex_lock(&o->lock);
    if (!provide_key(o, t))
        r = o->keys ? err_set(e, -FAULT_CREDENTIALS, "this token is not valid: it is signed by no key of its issuer")
                    : err_set(e, -FAULT_UNREACHABLE, "the keys of the token's issuer cannot be fetched just now");
    else if (!jwks_verify(o->keys, t, secret_expose(token), secret_size(token)))
        r = err_set(e, -FAULT_CREDENTIALS, "this token is not valid: its signature is wrong");
    pthread_mutex_unlock(&o->lock);
    return r;
}

/* --- tokens ---------------------------------------------------------------------------------------------------------
 */

bool oidc_is_concerned(const struct oidc *o, const struct secret *token)
{
    return jwt_has_issuer(secret_expose(token), secret_size(token), o->config.issuer);
}

/* "oidc:SUBJECT", which the issuer gives to nobody else, and a name that people know. */
static void make_name(const json_t *claims, struct caller *ret)
{
    const char *subject = json_read_text(claims, "sub"), *known = json_read_text(claims, "email");

    if (!*known)
        known = json_read_text(claims, "preferred_username");
    snprintf(ret->name, sizeof(ret->name), "oidc:%.250s%s%.250s%s", subject, *known ? " (" : "", known,
             *known ? ")" : "");
}

static int take_claims(const struct oidc *o, const struct jwt *t, struct caller *ret, struct err *e)
{
    if (!*json_read_text(t->claims, "sub"))
        return err_set(e, -FAULT_CREDENTIALS, "this token is not valid: it names nobody");
    make_name(t->claims, ret);
    return claims_grant(t->claims, &o->config.rules, &ret->grants) < 0 ? err_set(e, -ENOMEM, "out of memory") : 1;
}

int oidc_identify(struct oidc *o, const struct secret *token, struct caller *ret, struct err *e)
{
    CLEANUP(jwt_done) struct jwt t = {0};
    const char *wrong;
    int r;

    if (jwt_read(secret_expose(token), secret_size(token), &t) < 0)
        return err_set(e, -FAULT_CREDENTIALS, "this token is not valid: RS256, PS256 and ES256 count, no others");
    if ((wrong = jwt_check(&t, o->config.issuer, o->config.audience, clock_wall_ns() / 1000000000)))
        return err_set(e, -FAULT_CREDENTIALS, "this token is not valid: %s", wrong);
    if ((r = check_signature(o, &t, token, e)) < 0)
        return r;
    return take_claims(o, &t, ret, e);
}
