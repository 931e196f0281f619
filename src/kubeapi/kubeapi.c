/* SPDX-License-Identifier: Apache-2.0
 *
 * A few connections, handed from thread to thread; who finds none in use makes another one, up to a number.
 */
#include "kubeapi/kubeapi.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/service.h"
#include "net/url.h"

enum { CONNECTIONS = 8, DEADLINE_MS = 5000, TOKEN_MAX = 16 * 1024, ANSWER_MAX = 256 * 1024 };

static const char NAME[] = "the Kubernetes API server", ACCOUNT[] = "/var/run/secrets/kubernetes.io/serviceaccount";

struct kubeapi {
    char *url, *token_file, *ca_file;
    bool without_token;
    uint64_t deadline_ms;
    pthread_mutex_t lock;
    pthread_cond_t given_back;
    struct http *idle[CONNECTIONS];
    unsigned idle_count, in_use;
};

DEFINE_CLEANUP(struct kubeapi *, kubeapi_free)
DEFINE_CLEANUP(struct secret *, secret_free)

static bool is_loopback(const struct url_parts *u)
{
    return (u->host_size == 9 && memcmp(u->host, "127.0.0.1", 9) == 0) ||
           (u->host_size == 5 && memcmp(u->host, "[::1]", 5) == 0);
}

static int make_url(struct kubeapi *k, const char *given, struct err *e)
{
    const char *host = env_get("KUBERNETES_SERVICE_HOST"), *port = env_get("KUBERNETES_SERVICE_PORT");
    struct url_parts u;
    int n;

    if (given)
        n = asprintf(&k->url, "%s", given);
    else if (host)
        n = asprintf(&k->url, strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port ? port : "443");
    else
        return err_set(e, -FAULT_USAGE,
                       "kubernetes: this is no pod (KUBERNETES_SERVICE_HOST is not set): give the address of the API "
                       "server");
    if (n < 0) {
        k->url = NULL;
        return err_set(e, -ENOMEM, "out of memory");
    }
    if (url_split(k->url, &u) < 0 || (*u.path && !text_eq(u.path, "/")))
        return err_set(e, -FAULT_USAGE, "%s is no address of a Kubernetes API server", k->url);
    if (!u.https && !is_loopback(&u))
        return err_set(e, -FAULT_USAGE, "%s: tokens would travel in the clear: https://, or a proxy on 127.0.0.1",
                       k->url);
    k->url[strlen(k->url) - (text_ends(k->url, "/") ? 1 : 0)] = '\0';
    return 0;
}

static int read_token(const struct kubeapi *k, struct secret **ret, struct err *e)
{
    struct buf text = {.ceiling = TOKEN_MAX};
    int r = file_load(AT_FDCWD, k->token_file, &text);

    if (r == 0) {
        size_t size = strcspn(buf_text(&text), " \t\r\n");
        struct buf value = {0};

        r = size == 0 ? -ENOENT : buf_printf(&value, "Bearer %.*s", (int)size, text.data);
        if (r == 0 && !(*ret = secret_new(value.data, value.size)))
            r = -ENOMEM;
        if (value.data)
            OPENSSL_cleanse(value.data, value.capacity);
        buf_done(&value);
    }
    if (text.data)
        OPENSSL_cleanse(text.data, text.capacity);
    buf_done(&text);
    if (r == -ENOENT && k->without_token)
        return 0;
    return r < 0 ? err_set(e, -FAULT_CREDENTIALS, "the service account's token %s: %s", k->token_file, strerror(-r))
                 : 0;
}

int kubeapi_new(const struct kubeapi_config *c, struct kubeapi **ret, struct err *e)
{
    CLEANUP(kubeapi_free_ptr) struct kubeapi *k = calloc(1, sizeof(*k));
    CLEANUP(secret_free_ptr) struct secret *token = NULL;
    const char *account = c->account ? c->account : ACCOUNT;
    pthread_condattr_t monotonic;
    int r;

    if (!k)
        return err_set(e, -ENOMEM, "out of memory");
    pthread_mutex_init(&k->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&k->given_back, &monotonic);
    pthread_condattr_destroy(&monotonic);
    k->without_token = c->without_token;
    k->deadline_ms = c->deadline_ms ? c->deadline_ms : DEADLINE_MS;
    if ((r = make_url(k, c->url, e)) < 0)
        return r;
    if (asprintf(&k->token_file, "%s/token", account) < 0 ||
        (c->ca_file ? asprintf(&k->ca_file, "%s", c->ca_file) : asprintf(&k->ca_file, "%s/ca.crt", account)) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = read_token(k, &token, e)) < 0)
        return r;
    *ret = TAKE_PTR(k);
    return 0;
}

void kubeapi_free(struct kubeapi *k)
{
    if (!k)
        return;
    assert(k->in_use == 0);
    for (unsigned i = 0; i < k->idle_count; i++)
        http_free(k->idle[i]);
    pthread_mutex_destroy(&k->lock);
    pthread_cond_destroy(&k->given_back);
    free(k->url);
    free(k->token_file);
    free(k->ca_file);
    free(k);
}

int kubeapi_open(const struct kubeapi *k, uint64_t timeout_ms, struct http **ret, struct err *e)
{
    struct http_options o = {.ca_file = k->ca_file, .timeout_ms = timeout_ms, .direct = true};

    if (access(k->ca_file, R_OK) < 0)
        o.ca_file = NULL;
    return http_new(&o, ret, e);
}

static int take_connection(struct kubeapi *k, struct http **ret, struct err *e)
{
    struct http *h = NULL;
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(k->deadline_ms / 1000 + 1);
    pthread_mutex_lock(&k->lock);
    while (k->idle_count == 0 && k->in_use == CONNECTIONS && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&k->given_back, &k->lock, &until);
    if (k->idle_count == 0 && k->in_use == CONNECTIONS) {
        pthread_mutex_unlock(&k->lock);
        return err_set(e, -FAULT_STALLED, "%s does not answer the requests before this one", NAME);
    }
    r = 0;
    if (k->idle_count > 0)
        h = k->idle[--k->idle_count];
    k->in_use++;
    pthread_mutex_unlock(&k->lock);
    if (!h && (r = kubeapi_open(k, k->deadline_ms, &h, e)) < 0) {
        pthread_mutex_lock(&k->lock);
        k->in_use--;
        pthread_cond_signal(&k->given_back);
        pthread_mutex_unlock(&k->lock);
        return r;
    }
    *ret = h;
    return 0;
}

/* After a failure the next one begins with a new connection, and the CA as it is then. */
static void give_back(struct kubeapi *k, struct http *h, bool works)
{
    if (!works)
        http_free(h);
    pthread_mutex_lock(&k->lock);
    if (works)
        k->idle[k->idle_count++] = h;
    k->in_use--;
    pthread_cond_signal(&k->given_back);
    pthread_mutex_unlock(&k->lock);
}

static int check_status(long status, struct err *e)
{
    if (status == 401 || status == 403)
        return err_set(e, -FAULT_DENIED,
                       "%s answers %ld: does our service account have the cluster role system:auth-delegator?", NAME,
                       status);
    if (status < 200 || status >= 300)
        return err_set(e, -FAULT_FORMAT, "%s answers %ld", NAME, status);
    return 0;
}

static int perform(struct kubeapi *k, struct http_request *r, long *ret_status, struct buf *ret, struct err *e)
{
    struct service s = {.name = NAME, .deadline_ms = clock_mono_ms() + k->deadline_ms, .answer_max = ANSWER_MAX};
    struct http_answer answer = {0};
    int result = take_connection(k, &s.http, e);

    if (result < 0)
        return result;
    if ((result = service_ask(&s, r, &answer, e)) == 0) {
        *ret_status = answer.status;
        if (buf_add(ret, buf_text(&answer.body), answer.body.size) < 0)
            result = err_set(e, -ENOMEM, "out of memory");
    }
    service_answer_done(&answer);
    give_back(k, s.http, result == 0);
    return result;
}

int kubeapi_authorize(const struct kubeapi *k, const char *path, char **ret_url, struct secret **ret_token,
                      struct err *e)
{
    CLEANUP(secret_free_ptr) struct secret *token = NULL;
    char *url;
    int r;

    assert(path && *path == '/');
    if ((r = read_token(k, &token, e)) < 0)
        return r;
    if (asprintf(&url, "%s%s", k->url, path) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    *ret_url = url;
    *ret_token = TAKE_PTR(token);
    return 0;
}

int kubeapi_ask(struct kubeapi *k, const struct kubeapi_call *c, long *ret_status, struct buf *ret, struct err *e)
{
    CLEANUP(secret_free_ptr) struct secret *token = NULL;
    CLEANUP_FREE char *url = NULL;
    struct http_request request = {.method = c->method};
    int r;

    assert(k && c->path && *c->path == '/' && ret_status && ret);
    if ((r = kubeapi_authorize(k, c->path, &url, &token, e)) < 0)
        return r;
    request.url = url;
    if (token)
        http_add_secret(&request, "Authorization", token);
    http_add_header(&request, "Accept", "application/json");
    if (c->body) {
        request.body = buf_text(c->body);
        request.body_size = c->body->size;
        http_add_header(&request, "Content-Type", c->content_type ? c->content_type : "application/json");
    }
    return perform(k, &request, ret_status, ret, e);
}

int kubeapi_post(struct kubeapi *k, const char *path, const struct buf *body, struct buf *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf answer = {.ceiling = ANSWER_MAX + 1};
    long status = 0;
    int r = kubeapi_ask(k, &(struct kubeapi_call){.method = "POST", .path = path, .body = body}, &status, &answer, e);

    if (r == 0 && (r = check_status(status, e)) == 0 && buf_add(ret, buf_text(&answer), answer.size) < 0)
        r = err_set(e, -ENOMEM, "out of memory");
    if (answer.data)
        OPENSSL_cleanse(answer.data, answer.capacity);
    return r;
}
