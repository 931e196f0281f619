/* SPDX-License-Identifier: Apache-2.0
 *
 * What may change while requests are sent (endpoint, region, credentials) is behind one lock, which is held while
 * signing, and while credentials that have ended are renewed; never while sending.
 */
#include "store/s3/s3_store.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/s3/s3_store_internal.h"

enum { RENEW_RETRY_S = 30 };

int s3_fail(const struct s3 *s, struct err *e, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    err_setv(e, code, format, args);
    va_end(args);
    return err_prefix(e, code, "%s", s->of->dialect->name);
}

const struct s3_dialect *s3_dialect(const struct s3 *s)
{
    return s->of->dialect;
}

const char *s3_bucket(const struct s3 *s)
{
    return s->of->bucket;
}

const char *s3_prefix(const struct s3 *s)
{
    return s->of->prefix;
}

const struct user_headers *s3_user_headers(const struct s3 *s)
{
    return &s->of->headers;
}

unsigned s3_uploads(const struct s3 *s)
{
    return s->of->uploads;
}

bool s3_has_tls(const struct s3 *s)
{
    return !s->of->endpoint_given || strncasecmp(s->of->endpoint_given, "https://", 8) == 0;
}

struct http *s3_http(const struct s3 *s)
{
    return s->http;
}

int s3_http_new(const struct s3 *s, struct http **ret, struct err *e)
{
    return http_new(&s->of->options, ret, e);
}

/* How the object, or the bucket itself, is called in a URL and in what is signed. */
struct names {
    struct buf path, resource;
};

static void names_done(struct names *n)
{
    buf_done(&n->path);
    buf_done(&n->resource);
}

static int make_names(const struct s3 *s, const char *key, struct names *ret)
{
    CLEANUP_FREE char *full = NULL, *encoded = NULL;
    int r;

    if (asprintf(&full, "%s%s", key ? s->of->prefix : "", key ? key : "") < 0) {
        full = NULL;
        return -ENOMEM;
    }
    if (!(encoded = url_encode(full, strlen(full), 1)))
        return -ENOMEM;
    r = buf_printf(&ret->path, "%s/%s", s->of->endpoint.path, encoded);
    return r < 0 ? r : buf_printf(&ret->resource, "/%s/%s", s->of->bucket, encoded);
}

/* What a message or a renewal will want to know of the request. */
static int note_signer(const struct s3 *s, struct s3_signed *ret)
{
    snprintf(ret->region, sizeof(ret->region), "%s", s->of->region);
    ret->origin = strdup(s->of->endpoint.origin);
    ret->access_key = strdup(s->of->cred.access_key);
    ret->token = s->of->cred.token ? secret_copy(s->of->cred.token) : NULL;
    ret->source = s->of->cred.source;
    ret->expires_ns = s->of->cred.expires_ns;
    ret->renewals = s->of->renewals;
    return ret->origin && ret->access_key && (ret->token || !s->of->cred.token) ? 0 : -ENOMEM;
}

static int sign_locked(struct s3 *s, const char *key, struct sign_request *request, struct s3_signed *ret)
{
    CLEANUP(names_done) struct names names = {0};
    CLEANUP(buf_done) struct buf url = {0};
    int r = make_names(s, key, &names);

    if (r < 0)
        return r;
    request->host = s->of->endpoint.host;
    request->path = buf_text(&names.path);
    request->resource = buf_text(&names.resource);
    request->region = s->of->region;
    request->service = "s3";
    ret->time_ns = clock_wall_ns();
    request->time_ns = ret->time_ns + s->of->ahead_ns;
    if ((r = s->of->dialect->sign(request, &s->of->cred, &ret->signature)) < 0)
        return r;
    if ((r = buf_printf(&url, "%s%s%s%s", s->of->endpoint.origin, buf_text(&names.path),
                        *ret->signature.query ? "?" : "", ret->signature.query)) < 0)
        return r;
    return (ret->url = buf_take(&url)) ? note_signer(s, ret) : -ENOMEM;
}

static bool same_credentials(const struct credentials *a, const struct credentials *b)
{
    return text_eq(a->access_key, b->access_key) && text_eq(secret_expose(a->token), secret_expose(b->token)) &&
           text_eq(secret_expose(a->secret_key), secret_expose(b->secret_key));
}

static void take_credentials(struct s3 *s, struct credentials *fresh)
{
    cred_done(&s->of->cred);
    s->of->cred = *fresh;
    s->of->renew_at_ns = cred_renew_at(&s->of->cred, clock_wall_ns());
    s->of->renewals++;
}

/* Ahead of the end, so that a long upload does not notice it. While the old ones hold, a failure is none, and the other
 * threads go on with them. Called with the lock held; releases it meanwhile. */
static void renew_early(struct s3 *s)
{
    struct credentials fresh = {0};
    int64_t now_ns = clock_wall_ns();
    unsigned before = s->of->renewals;
    struct err ignored;
    int r;

    if (now_ns < s->of->renew_at_ns)
        return;
    s->of->renew_at_ns = now_ns + (int64_t)RENEW_RETRY_S * 1000000000; /* no other thread asks, too */
    pthread_mutex_unlock(&s->of->lock);
    r = cred_get(s->of->dialect->credentials, &s->of->options, &fresh, &ignored);
    pthread_mutex_lock(&s->of->lock);
    if (r < 0)
        return;
    if (same_credentials(&fresh, &s->of->cred) || s->of->renewals != before)
        cred_done(&fresh);
    else
        take_credentials(s, &fresh);
}

int s3_sign(struct s3 *s, const char *key, struct sign_request *request, struct s3_signed *ret)
{
    struct s3_signed made = {0};
    int r;

    assert(request->method && ret);
    pthread_mutex_lock(&s->of->lock);
    renew_early(s);
    r = sign_locked(s, key, request, &made);
    pthread_mutex_unlock(&s->of->lock);
    request->host = request->path = request->resource = request->region = NULL; /* were borrowed from in here */
    if (r < 0) {
        s3_signed_done(&made);
        return r;
    }
    *ret = made;
    return 0;
}

DEFINE_CLEANUP(struct secret *, secret_free)

/* A URL does not outlive the credentials that it was signed with. */
static uint64_t presign_seconds(const struct s3 *s, uint64_t wanted_s, int64_t now_ns)
{
    int64_t left_s = (s->of->cred.expires_ns - now_ns) / 1000000000;

    if (!s->of->cred.expires_ns || left_s >= (int64_t)wanted_s)
        return wanted_s;
    return left_s > 1 ? (uint64_t)left_s : 1;
}

static int presign_locked(struct s3 *s, const struct s3_wish *wish, struct sign_request *request,
                          struct secret **ret_url)
{
    CLEANUP(names_done) struct names names = {0};
    CLEANUP(buf_done) struct buf url = {0};
    CLEANUP(secret_free_ptr) struct secret *query = NULL;
    int r = make_names(s, wish->key, &names);

    if (r < 0)
        return r;
    request->region = s->of->region;
    request->service = "s3";
    request->host = s->of->endpoint.host;
    request->path = buf_text(&names.path);
    request->resource = buf_text(&names.resource);
    request->time_ns = clock_wall_ns() + s->of->ahead_ns;
    if ((r = s->of->dialect->presign(request, &s->of->cred, presign_seconds(s, wish->valid_s, clock_wall_ns()),
                                     &query)) < 0 ||
        (r = buf_printf(&url, "%s%s?%s", s->of->endpoint.origin, buf_text(&names.path), secret_expose(query))) < 0)
        return r;
    *ret_url = secret_new(buf_text(&url), url.size);
    explicit_bzero(url.data, url.size);
    return *ret_url ? 0 : -ENOMEM;
}

int s3_presign_request(struct s3 *s, const struct s3_wish *wish, struct sign_request *request, struct secret **ret_url,
                       struct err *e)
{
    int r;

    assert(request->method && wish->key && wish->valid_s > 0 && ret_url);
    pthread_mutex_lock(&s->of->lock);
    renew_early(s);
    r = presign_locked(s, wish, request, ret_url);
    pthread_mutex_unlock(&s->of->lock);
    request->host = request->path = request->resource = request->region = NULL; /* were borrowed from in here */
    return r < 0 ? s3_fail(s, e, r, "'%.200s' cannot be presigned: %s", wish->key, strerror(-r)) : 0;
}

int s3_presign(struct s3 *s, const struct presign *what, struct secret **ret_url, struct err *e)
{
    struct sign_pair pairs[2];
    struct sign_request request = {.method = what->method, .query = pairs};

    if (what->content_type)
        pairs[request.query_count++] = (struct sign_pair){"response-content-type", what->content_type};
    if (what->content_disposition)
        pairs[request.query_count++] = (struct sign_pair){"response-content-disposition", what->content_disposition};
    return s3_presign_request(s, &(struct s3_wish){what->key, what->valid_s}, &request, ret_url, e);
}

void s3_signed_done(struct s3_signed *r)
{
    signature_done(&r->signature);
    secret_free(r->token);
    free(r->url);
    free(r->origin);
    free(r->access_key);
    *r = (struct s3_signed){0};
}

int s3_move(struct s3 *s, const char *used, const char *region)
{
    struct s3_endpoint moved;
    int r = 0;

    if (!s3_region_valid(region) || strcmp(used, region) == 0)
        return -EINVAL;
    pthread_mutex_lock(&s->of->lock);
    if (strcmp(s->of->region, used) == 0) { /* else another thread was faster */
        r = s3_place(s, region, &moved, NULL);
        if (r == 0) {
            s3_endpoint_done(&s->of->endpoint);
            s->of->endpoint = moved;
            snprintf(s->of->region, sizeof(s->of->region), "%s", region);
        }
    }
    pthread_mutex_unlock(&s->of->lock);
    return r == 0 ? 0 : -EINVAL;
}

int s3_renew(struct s3 *s, unsigned renewals, struct err *e)
{
    struct credentials fresh;
    int r = 0;

    pthread_mutex_lock(&s->of->lock);
    if (s->of->renewals == renewals) { /* else another thread was faster */
        fresh = (struct credentials){0};
        r = cred_get(s->of->dialect->credentials, &s->of->options, &fresh, e);
        if (r == 0 && same_credentials(&fresh, &s->of->cred)) {
            cred_done(&fresh);
            r = -FAULT_EXPIRED;
        } else if (r == 0) {
            take_credentials(s, &fresh);
        }
    }
    pthread_mutex_unlock(&s->of->lock);
    return r;
}

void s3_set_clock(struct s3 *s, int64_t there_ns)
{
    pthread_mutex_lock(&s->of->lock);
    s->of->ahead_ns = there_ns - clock_wall_ns();
    pthread_mutex_unlock(&s->of->lock);
}

bool s3_lacks(const struct s3 *s, enum s3_lack what)
{
    return atomic_load(&s->of->lacks[what]);
}

void s3_set_lacking(struct s3 *s, enum s3_lack what)
{
    atomic_store(&s->of->lacks[what], true);
}
