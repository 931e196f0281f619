/* SPDX-License-Identifier: Apache-2.0
 *
 * Which sink a URL means, and how an object in it is called. Knows no sink from inside.
 */
#include "store/sink.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/bandwidth.h"

static const struct {
    const char *prefix;
    const struct sink_ops *ops;
} SCHEMES[] = {
    [URL_S3] = {"s3://", &SINK_S3},       [URL_OBS] = {"obs://", &SINK_OBS},      [URL_AZ] = {"az://", &SINK_AZ},
    [URL_HTTP] = {"http://", &SINK_HTTP}, [URL_HTTPS] = {"https://", &SINK_HTTP}, [URL_FILE] = {"file://", &SINK_FILE},
};

int sink_open(const struct sink_config *c, struct sink **ret, struct err *e)
{
    struct err why = {0};

    assert(c && c->url.scheme < ARRAY_SIZE(SCHEMES) && ret);
    if (bandwidth_open(c->http.bandwidth, &why) < 0 && c->notice)
        c->notice(why.msg);
    return SCHEMES[c->url.scheme].ops->open(c, ret, e);
}

int sink_origin(const struct sink_config *c, char **ret, struct err *e)
{
    const struct sink_ops *ops = SCHEMES[c->url.scheme].ops;

    *ret = NULL;
    return ops->origin ? ops->origin(c, ret, e) : 0;
}

void sink_close(struct sink *s)
{
    if (s)
        s->ops->close(s);
}

void sink_config_done(struct sink_config *c)
{
    url_done(&c->url);
    free(c->endpoint);
    free(c->region);
    free(c->credentials_file);
    free(c->http.ca_file);
    bandwidth_free(c->http.bandwidth);
    user_headers_done(&c->headers);
    *c = (struct sink_config){0};
}

int handed_request_add(struct handed_request *r, const char *name, const char *value)
{
    CLEANUP_FREE char *n = strdup(name), *v = strdup(value);

    if (!n || !v)
        return -ENOMEM;
    if (r->count == HANDED_HEADERS_MAX)
        return -EMSGSIZE;
    r->name[r->count] = TAKE_PTR(n);
    r->value[r->count++] = TAKE_PTR(v);
    return 0;
}

void handed_request_done(struct handed_request *r)
{
    secret_free(r->url);
    for (unsigned i = 0; i < r->count; i++) {
        free(r->name[i]);
        free(r->value[i]);
    }
    *r = (struct handed_request){0};
}

/* url_parse decodes a file's path, and keys are plain text: both are encoded again, but not in a bucket's URL. */
char *sink_object_url(const struct sink_config *c, const char *key)
{
    CLEANUP(buf_done) struct buf b = {0};
    CLEANUP_FREE char *path =
        c->url.scheme == URL_FILE ? url_encode(c->url.path, strlen(c->url.path), 1) : strdup(c->url.path);
    CLEANUP_FREE char *name = url_in_bucket(c->url.scheme) ? strdup(key) : url_encode(key, strlen(key), 1);

    if (!path || !name)
        return NULL;
    size_t size = strlen(path);
    if (size > 0 && path[size - 1] == '/')
        path[size - 1] = '\0';
    if (buf_printf(&b, "%s%s%s%s/%s", SCHEMES[c->url.scheme].prefix, c->url.authority, *path && *path != '/' ? "/" : "",
                   path, name) < 0)
        return NULL;
    return buf_take(&b);
}
