/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's state: what never changes lies open, what may (endpoint, region, credentials) is behind one lock, which
 * is held while signing and renewing, and never while sending.
 */
#include "store/s3/s3_store.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/s3/s3_endpoint.h"

struct s3 {
    struct sink sink;
    const struct s3_dialect *dialect;
    char *bucket, *prefix, *endpoint_given;
    struct s3_placing placing;
    struct user_headers headers;
    unsigned uploads;
    struct http_options options; /* ca_file owned */
    struct http *http;
    atomic_bool lacks[S3_LACK_END];

    pthread_mutex_t lock; /* for the following */
    struct s3_endpoint endpoint;
    char region[32];
    struct credentials cred;
    int64_t renew_at_ns; /* while they still hold */
    unsigned renewals;
    int64_t ahead_ns; /* the store's clock before ours, where it said that ours is wrong */
};

enum { RENEW_RETRY_S = 30 };

int s3_fail(const struct s3 *s, struct err *e, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    err_setv(e, code, format, args);
    va_end(args);
    return err_prefix(e, code, "%s", s->dialect->name);
}

static int no_memory(const struct s3 *s, struct err *e)
{
    return s3_fail(s, e, -ENOMEM, "out of memory");
}

static int add_scheme(const char *endpoint, char **ret)
{
    if (asprintf(ret, "%s%s", strstr(endpoint, "://") ? "" : "https://", endpoint) >= 0)
        return 0;
    *ret = NULL;
    return -ENOMEM;
}

static int choose_region(struct s3 *s, const struct sink_config *c, const struct store_settings *settings,
                         struct err *e)
{
    CLEANUP_FREE char *found = NULL;
    const char *region = c->region ? c->region : settings->region;

    if (!region && s->endpoint_given)
        region = found = s3_endpoint_region(s->dialect->hosts, s->endpoint_given);
    if (!region)
        region = s->dialect->default_region;
    if (region && !s3_region_valid(region))
        return s3_fail(s, e, -FAULT_USAGE, "'%s' is not the name of a region", region);
    snprintf(s->region, sizeof(s->region), "%s", region ? region : "");
    return 0;
}

static void say(const struct sink_config *c, const struct s3 *s, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void say(const struct sink_config *c, const struct s3 *s, const char *format, ...)
{
    struct err text = {0};
    va_list args;

    if (!c->notice)
        return;
    va_start(args, format);
    err_setv(&text, 0, format, args);
    va_end(args);
    err_prefix(&text, 0, "%s", s->dialect->name);
    c->notice(text.msg);
}

/* Settings for the owner's tools that we do not support: refused where evidence would go elsewhere. */
static int check_settings(const struct s3 *s, const struct sink_config *c, const struct store_settings *settings,
                          struct err *e)
{
    for (size_t i = 0; i < settings->notes.count; i++)
        say(c, s, "%s", settings->notes.item[i]);
    if (settings->accelerate && !s->endpoint_given)
        return s3_fail(s, e, -FAULT_USAGE,
                       "use_accelerate_endpoint = true: S3 Transfer Acceleration is not supported: set it to false, or "
                       "give --endpoint");
    if (settings->accelerate)
        say(c, s, "use_accelerate_endpoint is not honoured: the endpoint is %s", s->endpoint_given);
    if (s->endpoint_given && (settings->fips || settings->dualstack))
        say(c, s, "%s is not honoured: the endpoint is %s",
            settings->fips ? "use_fips_endpoint" : "use_dualstack_endpoint", s->endpoint_given);
    return 0;
}

/* Options come before the environment, and that before files. */
static int copy_config(struct s3 *s, const struct sink_config *c, const struct store_settings *settings, struct err *e)
{
    const char *endpoint = c->endpoint ? c->endpoint : settings->endpoint;
    const char *ca_file = c->http.ca_file ? c->http.ca_file : settings->ca_file;
    size_t n = strlen(c->url.path);

    s->placing = (struct s3_placing){.style = c->path_style ? STORE_STYLE_PATH : settings->style,
                                     .fips = settings->fips,
                                     .dualstack = settings->dualstack};
    s->uploads = c->uploads > 0 ? c->uploads : 1;
    s->options = c->http;
    s->options.ca_file = NULL; /* a copy, below */
    for (unsigned i = 0; i < S3_LACK_END; i++)
        atomic_init(&s->lacks[i], s->dialect->lacks[i]);
    if (settings->no_checksums)
        atomic_init(&s->lacks[S3_LACKS_CHECKSUM], true);
    if (settings->sign_bodies)
        atomic_init(&s->lacks[S3_LACKS_UNSIGNED], true);
    s->bucket = strdup(c->url.authority);
    if ((s->prefix = malloc(n + 2)))
        snprintf(s->prefix, n + 2, "%s%s", c->url.path, n > 0 ? "/" : "");
    if (!s->bucket || !s->prefix || (endpoint && add_scheme(endpoint, &s->endpoint_given) < 0) ||
        (ca_file && !(s->options.ca_file = strdup(ca_file))) || user_headers_copy(&c->headers, &s->headers) < 0)
        return no_memory(s, e);
    return 0;
}

static int configure(struct s3 *s, const struct sink_config *c, struct err *e)
{
    CLEANUP(store_settings_done) struct store_settings settings = {0};
    int r = s->dialect->settings(s->dialect->hosts->service, &settings, e);

    if (r < 0)
        return err_prefix(e, r, "%s", s->dialect->name);
    if ((r = copy_config(s, c, &settings, e)) < 0 || (r = check_settings(s, c, &settings, e)) < 0)
        return r;
    return choose_region(s, c, &settings, e);
}

static int place(const struct s3 *s, const char *region, struct s3_endpoint *ret, struct err *e)
{
    struct s3_placing how = s->placing;

    how.endpoint = s->endpoint_given;
    how.region = region;
    how.bucket = s->bucket;
    return s3_endpoint_init(s->dialect->hosts, &how, ret, e);
}

DEFINE_CLEANUP(struct s3 *, s3_close)

/* A store that knows where it is, and not who we are. */
static int locate(const struct sink_config *c, const struct s3_dialect *d, struct s3 **ret, struct err *e)
{
    CLEANUP(s3_close_ptr) struct s3 *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return err_set(e, -ENOMEM, "%s: out of memory", d->name);
    s->dialect = d;
    pthread_mutex_init(&s->lock, NULL);
    if ((r = configure(s, c, e)) < 0 || (r = place(s, s->region, &s->endpoint, e)) < 0)
        return r;
    *ret = TAKE_PTR(s);
    return 0;
}

int s3_origin(const struct sink_config *c, const struct s3_dialect *d, char **ret, struct err *e)
{
    struct sink_config quiet = *c; /* what is worth saying is said by s3_open */
    CLEANUP(s3_close_ptr) struct s3 *s = NULL;
    int r;

    quiet.notice = NULL;
    r = locate(&quiet, d, &s, e);
    if (r < 0 || !s)
        return r;
    *ret = strdup(s->endpoint.origin);
    return *ret ? 0 : no_memory(s, e);
}

int s3_open(const struct sink_config *c, const struct s3_dialect *d, const struct sink_ops *ops, struct s3 **ret,
            struct err *e)
{
    CLEANUP(s3_close_ptr) struct s3 *s = NULL;
    int r = locate(c, d, &s, e);

    if (r < 0 || !s)
        return r;
    s->sink.ops = ops;
    if ((r = cred_get(d->credentials, &s->options, &s->cred, e)) < 0 || (r = http_new(&s->options, &s->http, e)) < 0)
        return r;
    if (s->cred.notable)
        say(c, s, "credentials come from %s", s->cred.source);
    s->renew_at_ns = cred_renew_at(&s->cred, clock_wall_ns());
    *ret = TAKE_PTR(s);
    return 0;
}

void s3_close(struct s3 *s)
{
    if (!s)
        return;
    http_free(s->http);
    cred_done(&s->cred);
    s3_endpoint_done(&s->endpoint);
    pthread_mutex_destroy(&s->lock);
    user_headers_done(&s->headers);
    free(s->options.ca_file);
    free(s->endpoint_given);
    free(s->prefix);
    free(s->bucket);
    free(s);
}

const struct s3_dialect *s3_dialect(const struct s3 *s)
{
    return s->dialect;
}

const char *s3_bucket(const struct s3 *s)
{
    return s->bucket;
}

const char *s3_prefix(const struct s3 *s)
{
    return s->prefix;
}

const struct user_headers *s3_user_headers(const struct s3 *s)
{
    return &s->headers;
}

unsigned s3_uploads(const struct s3 *s)
{
    return s->uploads;
}

bool s3_has_tls(const struct s3 *s)
{
    return !s->endpoint_given || strncasecmp(s->endpoint_given, "https://", 8) == 0;
}

struct http *s3_http(const struct s3 *s)
{
    return s->http;
}

int s3_http_new(const struct s3 *s, struct http **ret, struct err *e)
{
    return http_new(&s->options, ret, e);
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

    if (asprintf(&full, "%s%s", key ? s->prefix : "", key ? key : "") < 0) {
        full = NULL;
        return -ENOMEM;
    }
    if (!(encoded = url_encode(full, strlen(full), 1)))
        return -ENOMEM;
    r = buf_printf(&ret->path, "%s/%s", s->endpoint.path, encoded);
    return r < 0 ? r : buf_printf(&ret->resource, "/%s/%s", s->bucket, encoded);
}

/* What a message or a renewal will want to know of the request. */
static int note_signer(const struct s3 *s, struct s3_signed *ret)
{
    snprintf(ret->region, sizeof(ret->region), "%s", s->region);
    ret->origin = strdup(s->endpoint.origin);
    ret->access_key = strdup(s->cred.access_key);
    ret->token = s->cred.token ? secret_copy(s->cred.token) : NULL;
    ret->source = s->cred.source;
    ret->expires_ns = s->cred.expires_ns;
    ret->renewals = s->renewals;
    return ret->origin && ret->access_key && (ret->token || !s->cred.token) ? 0 : -ENOMEM;
}

static int sign_locked(struct s3 *s, const char *key, struct sign_request *request, struct s3_signed *ret)
{
    CLEANUP(names_done) struct names names = {0};
    CLEANUP(buf_done) struct buf url = {0};
    int r = make_names(s, key, &names);

    if (r < 0)
        return r;
    request->host = s->endpoint.host;
    request->path = buf_text(&names.path);
    request->resource = buf_text(&names.resource);
    request->region = s->region;
    request->service = "s3";
    ret->time_ns = clock_wall_ns();
    request->time_ns = ret->time_ns + s->ahead_ns;
    if ((r = s->dialect->sign(request, &s->cred, &ret->signature)) < 0)
        return r;
    if ((r = buf_printf(&url, "%s%s%s%s", s->endpoint.origin, buf_text(&names.path), *ret->signature.query ? "?" : "",
                        ret->signature.query)) < 0)
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
    cred_done(&s->cred);
    s->cred = *fresh;
    s->renew_at_ns = cred_renew_at(&s->cred, clock_wall_ns());
    s->renewals++;
}

/* Ahead of the end, so that a long upload does not notice it. While the old ones hold, a failure is none. */
static void renew_early(struct s3 *s)
{
    struct credentials fresh = {0};
    int64_t now_ns = clock_wall_ns();
    struct err ignored;

    if (now_ns < s->renew_at_ns)
        return;
    s->renew_at_ns = now_ns + (int64_t)RENEW_RETRY_S * 1000000000;
    if (cred_get(s->dialect->credentials, &s->options, &fresh, &ignored) < 0)
        return;
    if (same_credentials(&fresh, &s->cred))
        cred_done(&fresh);
    else
        take_credentials(s, &fresh);
}

int s3_sign(struct s3 *s, const char *key, struct sign_request *request, struct s3_signed *ret)
{
    struct s3_signed made = {0};
    int r;

    pthread_mutex_lock(&s->lock);
    renew_early(s);
    r = sign_locked(s, key, request, &made);
    pthread_mutex_unlock(&s->lock);
    request->host = request->path = request->resource = request->region = NULL; /* were borrowed from in here */
    if (r < 0) {
        s3_signed_done(&made);
        return r;
    }
    *ret = made;
    return 0;
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
    pthread_mutex_lock(&s->lock);
    if (strcmp(s->region, used) == 0) { /* else another thread was faster */
        r = place(s, region, &moved, NULL);
        if (r == 0) {
            s3_endpoint_done(&s->endpoint);
            s->endpoint = moved;
            snprintf(s->region, sizeof(s->region), "%s", region);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return r == 0 ? 0 : -EINVAL;
}

int s3_renew(struct s3 *s, unsigned renewals, struct err *e)
{
    struct credentials fresh;
    int r = 0;

    pthread_mutex_lock(&s->lock);
    if (s->renewals == renewals) { /* else another thread was faster */
        fresh = (struct credentials){0};
        r = cred_get(s->dialect->credentials, &s->options, &fresh, e);
        if (r == 0 && same_credentials(&fresh, &s->cred)) {
            cred_done(&fresh);
            r = -FAULT_EXPIRED;
        } else if (r == 0) {
            take_credentials(s, &fresh);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}

void s3_set_clock(struct s3 *s, int64_t there_ns)
{
    pthread_mutex_lock(&s->lock);
    s->ahead_ns = there_ns - clock_wall_ns();
    pthread_mutex_unlock(&s->lock);
}

bool s3_lacks(const struct s3 *s, enum s3_lack what)
{
    return atomic_load(&s->lacks[what]);
}

void s3_set_lacking(struct s3 *s, enum s3_lack what)
{
    atomic_store(&s->lacks[what], true);
}
