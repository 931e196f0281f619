/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens and rights by the API server's reviews.
 */
#include "serve/kube_access.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strv.h"
#include "base/text.h"
#include "kubeapi/kubeapi.h"
#include "kubeapi/review.h"
#include "serve/answer_cache.h"
#include "serve/jwt.h"

enum { BELIEVED_MS = 30 * 1000, REFUSED_MS = 10 * 1000, EVENT_MS = 60 * 1000, DOWN_MS = 2000 };

static const char TOKEN_REVIEWS[] = "/apis/authentication.k8s.io/v1/tokenreviews",
                  ACCESS_REVIEWS[] = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

struct question {
    unsigned right;
    struct review_action action;
};

struct kube_access {
    struct kubeapi *api;
    struct answer_cache *cache;
    char *audience;
    bool accounts;
    struct strv agents; /* "NAMESPACE/ACCOUNT" */
    struct question question[3];
    pthread_mutex_t lock;
    uint64_t event_ms, down_until_ms;
};

DEFINE_CLEANUP(struct kube_access *, kube_access_free)

static int take_actions(struct kube_access *k, const struct kube_access_config *c, struct err *e)
{
    const struct {
        unsigned right;
        const char *option, *text;
    } rows[] = {{RIGHT_LIST, "list", c->list}, {RIGHT_READ, "read", c->read}, {RIGHT_DELETE, "delete", c->delete}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        k->question[i].right = rows[i].right;
        if (review_action_parse(rows[i].text, &k->question[i].action) < 0)
            return err_set(e, -FAULT_USAGE, "--kubernetes-%s '%s': a verb and a resource, such as 'get pods/log'",
                           rows[i].option, rows[i].text);
    }
    return 0;
}

static int take_agents(struct kube_access *k, const struct opt_list *agents, struct err *e)
{
    for (unsigned i = 0; i < agents->count; i++) {
        const char *slash = strchr(agents->item[i], '/');

        if (!slash || slash == agents->item[i] || !slash[1] || strchr(slash + 1, '/'))
            return err_set(e, -FAULT_USAGE, "--agents '%s': a namespace and a service account, such as salvage/agent",
                           agents->item[i]);
        if (strv_add(&k->agents, agents->item[i]) < 0)
            return err_set(e, -ENOMEM, "out of memory");
    }
    return 0;
}

int kube_access_new(const struct kube_access_config *c, struct kube_access **ret, struct err *e)
{
    CLEANUP(kube_access_free_ptr) struct kube_access *k = calloc(1, sizeof(*k));
    int r;

    assert(c && c->audience && c->list && c->read && c->delete &&ret);
    if (!k)
        return err_set(e, -ENOMEM, "out of memory");
    pthread_mutex_init(&k->lock, NULL);
    k->accounts = c->accounts;
    if (!(k->cache = answer_cache_new()) || !(k->audience = strdup(c->audience)))
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = take_actions(k, c, e)) < 0 || (r = take_agents(k, &c->agents, e)) < 0 ||
        (r = kubeapi_new(&(struct kubeapi_config){.url = c->api, .account = c->account}, &k->api, e)) < 0)
        return r;
    *ret = TAKE_PTR(k);
    return 0;
}

void kube_access_free(struct kube_access *k)
{
    if (!k)
        return;
    kubeapi_free(k->api);
    answer_cache_free(k->cache);
    pthread_mutex_destroy(&k->lock);
    strv_done(&k->agents);
    free(k->audience);
    free(k);
}

/* Once a minute. */
static void report(struct kube_access *k, const struct err *e)
{
    uint64_t now = clock_mono_ms();
    bool due;

    pthread_mutex_lock(&k->lock);
    if ((due = k->event_ms == 0 || now - k->event_ms >= EVENT_MS))
        k->event_ms = now;
    pthread_mutex_unlock(&k->lock);
    if (due)
        log_event(EVENT_ISSUER_UNREACHABLE, LOG_STR("what", "kubernetes"), LOG_STR("error", e->msg));
}

/* While the API server does not answer at all, callers do not wait for that one after the other. */
static bool is_down(struct kube_access *k)
{
    bool down;

    pthread_mutex_lock(&k->lock);
    down = clock_mono_ms() < k->down_until_ms;
    pthread_mutex_unlock(&k->lock);
    return down;
}

static int ask(struct kube_access *k, const char *path, const struct buf *body, struct buf *ret)
{
    struct err e = {0};
    int r;

    if (is_down(k))
        return -FAULT_UNREACHABLE;
    if ((r = kubeapi_post(k->api, path, body, ret, &e)) == 0)
        return 0;
    if (r == -FAULT_STALLED || r == -FAULT_UNREACHABLE) {
        pthread_mutex_lock(&k->lock);
        k->down_until_ms = clock_mono_ms() + DOWN_MS;
        pthread_mutex_unlock(&k->lock);
    }
    report(k, &e);
    return -FAULT_UNREACHABLE;
}

/* --- who ------------------------------------------------------------------------------------------------------------
 */

/* "P" or "A" and the user as JSON: a pod by our audience, or another user; "": not known. */
static int review_token(struct kube_access *k, const struct secret *token, struct buf *ret)
{
    const char *audience = jwt_has_audience(secret_expose(token), secret_size(token), k->audience) ? k->audience : NULL;
    struct review_user user = {0};
    CLEANUP(buf_wipe) struct buf body = {0};
    CLEANUP(buf_done) struct buf answer = {0};
    int r = review_token_write(token, audience, &body);

    if (r == 0)
        r = ask(k, TOKEN_REVIEWS, &body, &answer);
    if (r < 0)
        return r;
    if ((r = review_token_read(buf_text(&answer), answer.size, audience, &user)) == -EBADMSG) {
        report(k, &(struct err){.msg = "the answer to a TokenReview is none"});
        return -FAULT_UNREACHABLE;
    }
    if (r > 0)
        r = buf_add_text(ret, audience ? "P" : "A") < 0 || review_user_write(&user, ret) < 0 ? -ENOMEM : 0;
    review_user_done(&user);
    return r;
}

static int find_token(struct kube_access *k, const struct secret *token, const unsigned char hash[32], struct buf *ret)
{
    uint64_t now = clock_mono_ms();
    int r = answer_cache_get(k->cache, hash, now, ret);

    if (r != 0)
        return r < 0 ? r : 0;
    if ((r = review_token(k, token, ret)) < 0)
        return r;
    answer_cache_put(k->cache, hash, ret, clock_mono_ms() + (ret->size ? BELIEVED_MS : REFUSED_MS));
    return 0;
}

static bool is_agent(const struct kube_access *k, const struct review_account *a)
{
    char name[sizeof(a->namespace) + sizeof(a->name)];

    snprintf(name, sizeof(name), "%s/%s", a->namespace, a->name);
    return strv_has(&k->agents, name);
}

static int take_pod(const struct kube_access *k, const struct review_user *user, struct caller *ret, struct err *e)
{
    struct review_account a;

    if (review_account_get(user, &a) < 0)
        return err_set(e, -FAULT_CREDENTIALS, "this token is no service account's");
    if (is_agent(k, &a) && grants_add(&ret->grants, RIGHT_AGENT | RIGHT_WRITE, "*", false) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    snprintf(ret->node, sizeof(ret->node), "%s", a.node);
    snprintf(ret->name, sizeof(ret->name), "pod:%s/%s", a.namespace, *a.pod ? a.pod : a.name);
    return grants_add(&ret->grants, RIGHT_WRITE, a.namespace, true) < 0 ? err_set(e, -ENOMEM, "out of memory") : 1;
}

static int take_person(const struct kube_access *k, struct review_user *user, struct caller *ret, struct err *e)
{
    struct review_account a = {0};
    bool is_account =
        review_account_get(user, &a) == 0 || text_starts(review_user_name(user), "system:serviceaccount:");

    if (is_account && !k->accounts)
        return err_set(e, -FAULT_CREDENTIALS,
                       "a pod's default token does not count here: project one with the audience '%s'", k->audience);
    if (is_account)
        snprintf(ret->name, sizeof(ret->name), "serviceaccount:%s/%s", a.namespace, a.name);
    else
        snprintf(ret->name, sizeof(ret->name), "user:%s", review_user_name(user));
    ret->kube_user = TAKE_PTR(user->user);
    return 1;
}

int kube_access_identify(struct kube_access *k, const struct secret *token, const unsigned char hash[32],
                         struct caller *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf found = {0};
    CLEANUP(review_user_done) struct review_user user = {0};
    int r = find_token(k, token, hash, &found);

    if (r == -FAULT_UNREACHABLE)
        return err_set(e, r, "whose token this is cannot be found out just now");
    if (r < 0)
        return err_set(e, r, "out of memory");
    if (found.size == 0)
        return 0;
    if (review_user_read(found.data + 1, found.size - 1, &user) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    return *found.data == 'P' ? take_pod(k, &user, ret, e) : take_person(k, &user, ret, e);
}

/* --- what -----------------------------------------------------------------------------------------------------------
 */

/* 1, 0, or -FAULT_UNREACHABLE, -ENOMEM. The question itself is its key in the cache. */
static int may(struct kube_access *k, const struct review_user *user, const struct review_action *action,
               const struct review_object *object)
{
    CLEANUP(buf_done) struct buf body = {0}, answer = {0}, known = {0};
    unsigned char hash[ANSWER_CACHE_HASH];
    int r;

    if (review_access_write(user, action, object, &body) < 0 ||
        EVP_Digest(body.data, body.size, hash, NULL, EVP_sha256(), NULL) != 1)
        return -ENOMEM;
    if ((r = answer_cache_get(k->cache, hash, clock_mono_ms(), &known)) != 0)
        return r < 0 ? r : *buf_text(&known) == '1';
    if ((r = ask(k, ACCESS_REVIEWS, &body, &answer)) < 0)
        return r;
    if ((r = review_access_read(buf_text(&answer), answer.size)) < 0) {
        report(k, &(struct err){.msg = "the answer to a SubjectAccessReview is none"});
        return -FAULT_UNREACHABLE;
    }
    if (buf_add_text(&known, r ? "1" : "0") == 0)
        answer_cache_put(k->cache, hash, &known, clock_mono_ms() + (r ? BELIEVED_MS : REFUSED_MS));
    return r;
}

struct asking {
    struct kube_access *k;
    const struct review_user *user;
    unsigned wanted;
};

/* Adds to rights what is wanted, not there yet, and allowed by the API server. namespace NULL: all of them. */
static unsigned add_rights(const struct asking *a, const char *namespace, unsigned rights)
{
    for (size_t i = 0; i < ARRAY_SIZE(a->k->question); i++) {
        const struct review_object object = {.namespace = namespace};
        const struct question *q = &a->k->question[i];
        int r = q->right & a->wanted & ~rights ? may(a->k, a->user, &q->action, &object) : 0;

        if (r < 0)
            return rights | RIGHT_UNKNOWN;
        if (r > 0)
            rights |= q->right;
    }
    return rights & (RIGHT_READ | RIGHT_DELETE) ? rights | RIGHT_LIST : rights;
}

unsigned kube_access_rights(struct kube_access *k, const struct caller *c, const char *namespace, unsigned wanted)
{
    const struct review_user user = {.user = c->kube_user};
    const struct asking asking = {k, &user, wanted};
    unsigned rights;

    assert(c->kube_user);
    rights = add_rights(&asking, NULL, 0);
    if (rights & RIGHT_UNKNOWN || !review_is_namespace(namespace))
        return rights;
    return add_rights(&asking, namespace, rights);
}

int kube_access_may_exec(struct kube_access *k, const struct caller *c, const char *namespace, const char *pod)
{
    static const struct review_action exec = {.verb = "create", .resource = "pods", .subresource = "exec"};
    const struct review_user user = {.user = c->kube_user};

    assert(c->kube_user && namespace && pod);
    return may(k, &user, &exec, &(struct review_object){namespace, pod});
}
