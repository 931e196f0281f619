/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening an S3 store: its configuration, from options, environment and files, and the first credentials.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/s3/s3_store_internal.h"

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

    if (!region && s->of->endpoint_given)
        region = found = s3_endpoint_region(s->of->dialect->hosts, s->of->endpoint_given);
    if (!region)
        region = s->of->dialect->default_region;
    if (region && !s3_region_valid(region))
        return s3_fail(s, e, -FAULT_USAGE, "'%s' is not the name of a region", region);
    snprintf(s->of->region, sizeof(s->of->region), "%s", region ? region : "");
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
    err_prefix(&text, 0, "%s", s->of->dialect->name);
    c->notice(text.msg);
}

/* Settings for the owner's tools that we do not support: refused where evidence would go elsewhere. */
static int check_settings(const struct s3 *s, const struct sink_config *c, const struct store_settings *settings,
                          struct err *e)
{
    for (size_t i = 0; i < settings->notes.count; i++)
        say(c, s, "%s", settings->notes.item[i]);
    if (settings->accelerate && !s->of->endpoint_given)
        return s3_fail(s, e, -FAULT_USAGE,
                       "use_accelerate_endpoint = true: S3 Transfer Acceleration is not supported: set it to false, or "
                       "give --endpoint");
    if (settings->accelerate)
        say(c, s, "use_accelerate_endpoint is not honoured: the endpoint is %s", s->of->endpoint_given);
    if (s->of->endpoint_given && (settings->fips || settings->dualstack))
        say(c, s, "%s is not honoured: the endpoint is %s",
            settings->fips ? "use_fips_endpoint" : "use_dualstack_endpoint", s->of->endpoint_given);
    return 0;
}

/* Options come before the environment, and that before files. */
static int copy_config(struct s3 *s, const struct sink_config *c, const struct store_settings *settings, struct err *e)
{
    const char *endpoint = c->endpoint ? c->endpoint : settings->endpoint;
    const char *ca_file = c->http.ca_file ? c->http.ca_file : settings->ca_file;
    size_t n = strlen(c->url.path);

    s->of->placing = (struct s3_placing){.style = c->path_style ? STORE_STYLE_PATH : settings->style,
                                         .fips = settings->fips,
                                         .dualstack = settings->dualstack};
    s->of->uploads = c->uploads > 0 ? c->uploads : 1;
    s->of->options = c->http;
    s->of->options.ca_file = NULL; /* a copy, below */
    for (unsigned i = 0; i < S3_LACK_END; i++)
        atomic_init(&s->of->lacks[i], s->of->dialect->lacks[i]);
    if (settings->no_checksums)
        atomic_init(&s->of->lacks[S3_LACKS_CHECKSUM], true);
    if (settings->sign_bodies)
        atomic_init(&s->of->lacks[S3_LACKS_UNSIGNED], true);
    s->of->bucket = strdup(c->url.authority);
    if ((s->of->prefix = malloc(n + 2)))
        snprintf(s->of->prefix, n + 2, "%s%s", c->url.path, n > 0 ? "/" : "");
    if (!s->of->bucket || !s->of->prefix || (endpoint && add_scheme(endpoint, &s->of->endpoint_given) < 0) ||
        (ca_file && !(s->of->options.ca_file = strdup(ca_file))) || user_headers_copy(&c->headers, &s->of->headers) < 0)
        return no_memory(s, e);
    return 0;
}

static int configure(struct s3 *s, const struct sink_config *c, struct err *e)
{
    CLEANUP(store_settings_done) struct store_settings settings = {0};
    int r = s->of->dialect->settings(s->of->dialect->hosts->service, &settings, e);

    if (r < 0)
        return err_prefix(e, r, "%s", s->of->dialect->name);
    if ((r = copy_config(s, c, &settings, e)) < 0 || (r = check_settings(s, c, &settings, e)) < 0)
        return r;
    return choose_region(s, c, &settings, e);
}

int s3_place(const struct s3 *s, const char *region, struct s3_endpoint *ret, struct err *e)
{
    struct s3_placing how = s->of->placing;

    how.endpoint = s->of->endpoint_given;
    how.region = region;
    how.bucket = s->of->bucket;
    return s3_endpoint_init(s->of->dialect->hosts, &how, ret, e);
}

DEFINE_CLEANUP(struct s3 *, s3_close)

/* A store with an endpoint, and no credentials yet. */
static int locate(const struct sink_config *c, const struct s3_dialect *d, struct s3 **ret, struct err *e)
{
    CLEANUP(s3_close_ptr) struct s3 *s = calloc(1, sizeof(*s));
    int r;

    if (!s || !(s->of = calloc(1, sizeof(*s->of))))
        return err_set(e, -ENOMEM, "%s: out of memory", d->name);
    atomic_init(&s->of->sinks, 1);
    s->of->dialect = d;
    pthread_mutex_init(&s->of->lock, NULL);
    if ((r = configure(s, c, e)) < 0 || (r = s3_place(s, s->of->region, &s->of->endpoint, e)) < 0)
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
    *ret = strdup(s->of->endpoint.origin);
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
    if ((r = cred_get(d->credentials, &s->of->options, &s->of->cred, e)) < 0 ||
        (r = http_new(&s->of->options, &s->http, e)) < 0)
        return r;
    if (s->of->cred.notable)
        say(c, s, "credentials come from %s", s->of->cred.source);
    s->of->renew_at_ns = cred_renew_at(&s->of->cred, clock_wall_ns());
    *ret = TAKE_PTR(s);
    return 0;
}

int s3_share(struct s3 *of, struct s3 **ret, struct err *e)
{
    CLEANUP(s3_close_ptr) struct s3 *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return no_memory(of, e);
    s->sink = of->sink;
    s->of = of->of;
    atomic_fetch_add(&s->of->sinks, 1);
    if ((r = http_new(&s->of->options, &s->http, e)) < 0)
        return r;
    *ret = TAKE_PTR(s);
    return 0;
}

static void shared_free(struct s3_shared *of)
{
    cred_done(&of->cred);
    s3_endpoint_done(&of->endpoint);
    pthread_mutex_destroy(&of->lock);
    user_headers_done(&of->headers);
    free(of->options.ca_file);
    free(of->endpoint_given);
    free(of->prefix);
    free(of->bucket);
    free(of);
}

void s3_close(struct s3 *s)
{
    if (!s)
        return;
    http_free(s->http);
    if (s->of && atomic_fetch_sub(&s->of->sinks, 1) == 1)
        shared_free(s->of);
    free(s);
}
