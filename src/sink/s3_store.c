/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's state: what never changes lies open, what may (endpoint, region, credentials) is behind one lock, which
 * is held while signing and never while sending.
 */
#include "sink/s3_store.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "sink/s3_endpoint.h"

struct s3 {
    struct sink sink;
    char *bucket, *prefix, *endpoint_given;
    bool path_style;
    unsigned uploads;
    struct http_options options; /* ca_file owned */
    struct http *http;
    atomic_bool lacks[S3_LACK_END];

    pthread_mutex_t lock; /* for the following */
    struct s3_endpoint endpoint;
    char region[32];
    struct credentials cred;
    unsigned renewals;
};

static const char *given_endpoint(const struct sink_config *c)
{
    static const char *const names[] = {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"};

    if (c->endpoint)
        return c->endpoint;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = getenv(names[i]);

        if (value && *value)
            return value;
    }
    return NULL;
}

static int choose_region(struct s3 *s, const struct sink_config *c, struct err *e)
{
    CLEANUP_FREE char *found = NULL;
    const char *region = c->region;

    if (!region && cred_region(&found) == 0)
        region = found;
    if (!region && s->endpoint_given)
        region = found = s3_endpoint_region(s->endpoint_given);
    if (!region)
        region = "us-east-1";
    if (!s3_region_valid(region))
        return err_set(e, -FAULT_USAGE, "s3: '%s' is not the name of a region", region);
    snprintf(s->region, sizeof(s->region), "%s", region);
    return 0;
}

static int copy_config(struct s3 *s, const struct sink_config *c, struct err *e)
{
    const char *endpoint = given_endpoint(c);
    size_t n = strlen(c->url.path);

    s->path_style = c->path_style;
    s->uploads = c->uploads > 0 ? c->uploads : 1;
    s->options.timeout_ms = c->http.timeout_ms;
    s->bucket = strdup(c->url.authority);
    if ((s->prefix = malloc(n + 2)))
        snprintf(s->prefix, n + 2, "%s%s", c->url.path, n > 0 ? "/" : "");
    if (!s->bucket || !s->prefix || (endpoint && !(s->endpoint_given = strdup(endpoint))) ||
        (c->http.ca_file && !(s->options.ca_file = strdup(c->http.ca_file))))
        return err_set(e, -ENOMEM, "s3: out of memory");
    return 0;
}

DEFINE_CLEANUP(struct s3 *, s3_close)

int s3_open(const struct sink_config *c, const struct sink_ops *ops, struct s3 **ret, struct err *e)
{
    CLEANUP(s3_close_ptr) struct s3 *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return err_set(e, -ENOMEM, "s3: out of memory");
    s->sink.ops = ops;
    pthread_mutex_init(&s->lock, NULL);
    if ((r = copy_config(s, c, e)) < 0 || (r = choose_region(s, c, e)) < 0 ||
        (r = s3_endpoint_init(s->endpoint_given, s->region, s->bucket, s->path_style, &s->endpoint, e)) < 0 ||
        (r = cred_get(&s->cred, e)) < 0 || (r = http_new(&s->options, &s->http, e)) < 0)
        return r;
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
    free(s->options.ca_file);
    free(s->endpoint_given);
    free(s->prefix);
    free(s->bucket);
    free(s);
}

const char *s3_bucket(const struct s3 *s)
{
    return s->bucket;
}

const char *s3_prefix(const struct s3 *s)
{
    return s->prefix;
}

unsigned s3_uploads(const struct s3 *s)
{
    return s->uploads;
}

struct http *s3_http(const struct s3 *s)
{
    return s->http;
}

int s3_http_new(const struct s3 *s, struct http **ret, struct err *e)
{
    return http_new(&s->options, ret, e);
}

/* The path of the URL, which is also what is signed. */
static int add_path(const struct s3 *s, const char *key, struct buf *b)
{
    CLEANUP_FREE char *full = NULL, *encoded = NULL;

    if (!key)
        return buf_add_text(b, *s->endpoint.path ? s->endpoint.path : "/");
    if (asprintf(&full, "%s%s", s->prefix, key) < 0) {
        full = NULL;
        return -ENOMEM;
    }
    encoded = url_encode(full, strlen(full), 1);
    return encoded ? buf_printf(b, "%s/%s", s->endpoint.path, encoded) : -ENOMEM;
}

static int sign_locked(struct s3 *s, const char *key, struct sigv4_request *v4, struct s3_signed *ret)
{
    CLEANUP(buf_done) struct buf path = {0}, url = {0};
    int r = add_path(s, key, &path);

    if (r < 0)
        return r;
    snprintf(ret->region, sizeof(ret->region), "%s", s->region);
    v4->host = s->endpoint.host;
    v4->path = buf_text(&path);
    v4->region = s->region;
    v4->service = "s3";
    v4->time_ns = clock_wall_ns();
    if ((r = sigv4_sign(v4, &s->cred, &ret->v4)) < 0)
        return r;
    if ((r = buf_printf(&url, "%s%s%s%s", s->endpoint.origin, buf_text(&path), *ret->v4.query ? "?" : "",
                        ret->v4.query)) < 0)
        return r;
    ret->url = buf_take(&url);
    ret->origin = strdup(s->endpoint.origin);
    ret->access_key = strdup(s->cred.access_key);
    ret->token = s->cred.token ? secret_copy(s->cred.token) : NULL;
    ret->source = s->cred.source;
    ret->time_ns = v4->time_ns;
    ret->expires_ns = s->cred.expires_ns;
    ret->renewals = s->renewals;
    return ret->url && ret->origin && ret->access_key && (ret->token || !s->cred.token) ? 0 : -ENOMEM;
}

int s3_sign(struct s3 *s, const char *key, struct sigv4_request *v4, struct s3_signed *ret)
{
    struct s3_signed made = {0};
    int r;

    pthread_mutex_lock(&s->lock);
    r = sign_locked(s, key, v4, &made);
    pthread_mutex_unlock(&s->lock);
    v4->host = v4->path = v4->region = NULL; /* were borrowed from in here */
    if (r < 0) {
        s3_signed_done(&made);
        return r;
    }
    *ret = made;
    return 0;
}

void s3_signed_done(struct s3_signed *r)
{
    sigv4_done(&r->v4);
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
        r = s3_endpoint_init(s->endpoint_given, region, s->bucket, s->path_style, &moved, NULL);
        if (r == 0) {
            s3_endpoint_done(&s->endpoint);
            s->endpoint = moved;
            snprintf(s->region, sizeof(s->region), "%s", region);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return r == 0 ? 0 : -EINVAL;
}

static bool same_credentials(const struct credentials *a, const struct credentials *b)
{
    return text_eq(a->access_key, b->access_key) && text_eq(secret_expose(a->token), secret_expose(b->token)) &&
           text_eq(secret_expose(a->secret_key), secret_expose(b->secret_key));
}

int s3_renew(struct s3 *s, unsigned renewals, struct err *e)
{
    struct credentials fresh;
    int r = 0;

    pthread_mutex_lock(&s->lock);
    if (s->renewals == renewals) { /* else another thread was faster */
        fresh = (struct credentials){0};
        r = cred_get(&fresh, e);
        if (r == 0 && same_credentials(&fresh, &s->cred)) {
            cred_done(&fresh);
            r = -FAULT_EXPIRED;
        } else if (r == 0) {
            cred_done(&s->cred);
            s->cred = fresh;
            s->renewals++;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}

bool s3_lacks(const struct s3 *s, enum s3_lack what)
{
    return atomic_load(&s->lacks[what]);
}

void s3_set_lacking(struct s3 *s, enum s3_lack what)
{
    atomic_store(&s->lacks[what], true);
}
