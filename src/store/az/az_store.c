/* SPDX-License-Identifier: Apache-2.0 */
#include "store/az/az_store.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"

/* Shared by all sinks of one store in a process (sink_ops.share). */
struct shared {
    atomic_uint sinks;
    char *origin, *container, *prefix;
    struct user_headers headers;
    unsigned uploads;
    struct http_options options; /* ca_file owned */

    pthread_mutex_t lock; /* for the following */
    struct azure_auth auth;
    unsigned renewals;
};

struct az {
    struct sink sink;
    struct http *http;
    struct shared *of;
};

int az_fail(struct err *e, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    err_setv(e, code, format, args);
    va_end(args);
    return err_prefix(e, code, "az");
}

static int no_memory(struct err *e)
{
    return az_fail(e, -ENOMEM, "out of memory");
}

/* "container/prefix" into the two; the prefix ends with '/', or is "". */
static int split_path(struct shared *of, const char *path, struct err *e)
{
    size_t size = strcspn(path, "/");
    const char *rest = path[size] ? path + size + 1 : "";

    if (size == 0) /* of a URL whose last part was taken off */
        return az_fail(e, -FAULT_NO_BUCKET_NAME, "which container? az://ACCOUNT/CONTAINER");
    of->container = strndup(path, size);
    if (asprintf(&of->prefix, "%s%s", rest, *rest ? "/" : "") < 0)
        of->prefix = NULL;
    return of->container && of->prefix ? 0 : no_memory(e);
}

static bool is_address(const char *host, size_t size)
{
    char text[64];
    struct in_addr in;

    if (size >= sizeof(text))
        return false;
    memcpy(text, host, size);
    text[size] = '\0';
    return *text == '[' || strcmp(text, "localhost") == 0 || inet_pton(AF_INET, text, &in) == 1;
}

static int make_origin(const struct sink_config *c, char **ret, struct err *e)
{
    const char *given = c->endpoint ? c->endpoint : env_get("AZURE_STORAGE_SERVICE_ENDPOINT");
    const char *account = c->url.authority;
    CLEANUP_FREE char *whole = NULL;
    struct url_parts u;
    size_t end;
    int r;

    if (asprintf(&whole, "%s%s", given && strstr(given, "://") ? "" : "https://",
                 given ? given : "blob.core.windows.net") < 0) {
        whole = NULL;
        return no_memory(e);
    }
    if (url_split(whole, &u) < 0 || strpbrk(u.path, "?#"))
        return az_fail(e, -FAULT_USAGE, "--endpoint: '%.200s' is not an http:// or https:// address", whole);
    for (end = strlen(whole); whole[end - 1] == '/';)
        whole[--end] = '\0';
    if (c->path_style || is_address(u.host, u.host_size))
        r = asprintf(ret, "%s%s%s", whole, text_ends(whole, account) ? "" : "/",
                     text_ends(whole, account) ? "" : account);
    else if (u.host_size > strlen(account) && text_starts(u.host, account) && u.host[strlen(account)] == '.')
        r = asprintf(ret, "%s", whole);
    else
        r = asprintf(ret, "%.*s%s.%s", (int)(u.host - whole), whole, account, u.host);
    if (r >= 0)
        return 0;
    *ret = NULL;
    return no_memory(e);
}

int az_origin_of(const struct sink_config *c, char **ret, struct err *e)
{
    struct url_parts u;
    int r = make_origin(c, ret, e);

    if (r == 0 && url_split(*ret, &u) == 0)
        (*ret)[u.path - *ret] = '\0'; /* an account in the path is none of it */
    return r;
}

static int configure(struct shared *of, const struct sink_config *c, struct err *e)
{
    int r;

    of->uploads = c->uploads > 0 ? c->uploads : 1;
    of->options = c->http;
    of->options.ca_file = NULL; /* a copy, below */
    if (c->http.ca_file && !(of->options.ca_file = strdup(c->http.ca_file)))
        return no_memory(e);
    if ((r = split_path(of, c->url.path, e)) < 0 || (r = make_origin(c, &of->origin, e)) < 0)
        return r;
    return user_headers_copy(&c->headers, &of->headers) < 0 ? no_memory(e) : 0;
}

DEFINE_CLEANUP(struct az *, az_close)

int az_open(const struct sink_config *c, struct az **ret, struct err *e)
{
    CLEANUP(az_close_ptr) struct az *s = calloc(1, sizeof(*s));
    int r;

    if (!s || !(s->of = calloc(1, sizeof(*s->of))))
        return no_memory(e);
    atomic_init(&s->of->sinks, 1);
    pthread_mutex_init(&s->of->lock, NULL);
    s->sink.ops = &SINK_AZ;
    if ((r = configure(s->of, c, e)) < 0)
        return r;
    if ((r = azure_auth_get(&s->of->options, &s->of->auth, e)) < 0 || (r = http_new(&s->of->options, &s->http, e)) < 0)
        return err_prefix(e, r, "az");
    *ret = TAKE_PTR(s);
    return 0;
}

int az_share(struct az *of, struct az **ret, struct err *e)
{
    CLEANUP(az_close_ptr) struct az *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return no_memory(e);
    s->sink = of->sink;
    s->of = of->of;
    atomic_fetch_add(&s->of->sinks, 1);
    if ((r = http_new(&s->of->options, &s->http, e)) < 0)
        return r;
    *ret = TAKE_PTR(s);
    return 0;
}

static void shared_free(struct shared *of)
{
    azure_auth_done(&of->auth);
    pthread_mutex_destroy(&of->lock);
    user_headers_done(&of->headers);
    free(of->options.ca_file);
    free(of->prefix);
    free(of->container);
    free(of->origin);
    free(of);
}

void az_close(struct az *s)
{
    if (!s)
        return;
    http_free(s->http);
    if (s->of && atomic_fetch_sub(&s->of->sinks, 1) == 1)
        shared_free(s->of);
    free(s);
}

const char *az_origin(const struct az *s)
{
    return s->of->origin;
}

const char *az_container(const struct az *s)
{
    return s->of->container;
}

const char *az_prefix(const struct az *s)
{
    return s->of->prefix;
}

const struct user_headers *az_user_headers(const struct az *s)
{
    return &s->of->headers;
}

unsigned az_uploads(const struct az *s)
{
    return s->of->uploads;
}

struct http *az_http(const struct az *s)
{
    return s->http;
}

int az_http_new(const struct az *s, struct http **ret, struct err *e)
{
    return http_new(&s->of->options, ret, e);
}

/* With the lock held. */
static int renew(struct shared *of, struct err *e)
{
    CLEANUP(azure_auth_done) struct azure_auth fresh = {0};
    int r = azure_auth_get(&of->options, &fresh, e);

    if (r < 0)
        return err_prefix(e, r, "az");
    azure_auth_done(&of->auth);
    of->auth = fresh;
    fresh = (struct azure_auth){0};
    of->renewals++;
    return 0;
}

/* A renewal ahead of the end that fails is tried again a minute later. */
static void renew_ahead(struct shared *of)
{
    int64_t now = clock_wall_ns();
    struct err ignored;

    if (now >= of->auth.renew_at_ns && renew(of, &ignored) < 0)
        of->auth.renew_at_ns = now + INT64_C(60000000000);
}

int az_credentials_get(struct az *s, struct az_credentials *ret)
{
    struct shared *of = s->of;
    bool complete;

    pthread_mutex_lock(&of->lock);
    renew_ahead(of);
    *ret = (struct az_credentials){.sas = of->auth.sas ? secret_copy(of->auth.sas) : NULL,
                                   .bearer = of->auth.bearer ? secret_copy(of->auth.bearer) : NULL,
                                   .source = of->auth.source,
                                   .renewals = of->renewals};
    complete = ret->sas || ret->bearer;
    pthread_mutex_unlock(&of->lock);
    return complete ? 0 : -ENOMEM;
}

void az_credentials_done(struct az_credentials *c)
{
    secret_free(c->sas);
    secret_free(c->bearer);
    *c = (struct az_credentials){0};
}

int az_renew(struct az *s, unsigned renewals, struct err *e)
{
    int r = 0;

    pthread_mutex_lock(&s->of->lock);
    if (s->of->auth.sas)
        r = -FAULT_DENIED; /* the environment doesn't change */
    else if (s->of->renewals == renewals)
        r = renew(s->of, e);
    pthread_mutex_unlock(&s->of->lock);
    return r;
}
