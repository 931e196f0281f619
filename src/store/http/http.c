/* SPDX-License-Identifier: Apache-2.0
 *
 * A file server as a store (http:// and https://): opening and closing, and small objects. Uploads are http_upload.c's,
 * requests http_store.c's, listings http_list.c's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/http/http_store.h"

static void store_close(struct sink *sink)
{
    struct http_store *s = (struct http_store *)sink;

    http_free(s->http);
    http_auth_free(s->auth);
    user_headers_done(&s->headers);
    free(s->options.ca_file);
    free(s->folder);
    free(s->base);
    free(s);
}

static int init(struct http_store *s, const struct sink_config *c, struct err *e)
{
    const char *scheme = c->url.scheme == URL_HTTPS ? "https" : "http", *slash = *c->url.path ? "/" : "";
    int r;

    s->sink.ops = &SINK_HTTP;
    s->uploads = c->uploads > 0 ? c->uploads : 1;
    s->options.timeout_ms = c->http.timeout_ms;
    s->options.bandwidth = c->http.bandwidth;
    if ((c->http.ca_file && !(s->options.ca_file = strdup(c->http.ca_file))) ||
        user_headers_copy(&c->headers, &s->headers) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if (asprintf(&s->base, "%s://%s%s%s", scheme, c->url.authority, slash, c->url.path) < 0) {
        s->base = NULL;
        return err_set(e, -ENOMEM, "out of memory");
    }
    s->path = s->base + strlen(scheme) + strlen("://") + strlen(c->url.authority);
    r = http_auth_new(c->credentials_file, &s->auth, e);
    return r < 0 ? r : http_new(&s->options, &s->http, e);
}

static int store_open(const struct sink_config *c, struct sink **ret, struct err *e)
{
    struct http_store *s = calloc(1, sizeof(*s));
    int r = s ? init(s, c, e) : err_set(e, -ENOMEM, "out of memory");

    if (r < 0) {
        if (s)
            store_close(&s->sink);
        return r;
    }
    *ret = &s->sink;
    return 0;
}

static int store_origin(const struct sink_config *c, char **ret, struct err *e)
{
    if (asprintf(ret, "%s://%s", c->url.scheme == URL_HTTPS ? "https" : "http", c->url.authority) >= 0)
        return 0;
    *ret = NULL;
    return err_set(e, -ENOMEM, "out of memory");
}

static int store_probe(struct sink *sink, const char *key, struct err *e)
{
    struct http_store *s = (struct http_store *)sink;
    int r = http_resume_find(s, NULL, e);

    if (r < 0)
        return r;
    if (s->resumable == RESUMABLE_OFFERED)
        return http_resume_probe(s, key, e);
    if (s->direct != DIRECT_NONE) {
        r = http_direct_probe(s, key, e);
        if (r != -FAULT_REFUSED && r != -FAULT_DENIED && r != -FAULT_EXISTS && r != -FAULT_NO_OBJECT)
            return r;
    }
    return http_put_probe(s, e);
}

static int store_remove(struct sink *sink, const char *key, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    struct http_store *s = (struct http_store *)sink;
    CLEANUP_FREE char *url = http_store_url(s, key);
    struct http_request request;
    int r = http_store_request(s, "DELETE", url, &request, e);

    if (r == 0)
        r = http_store_send(s->http, &request, NULL, &answer, e);
    return r < 0 || http_store_ok(&answer) || answer.status == 404 ? r : http_store_fail(s, &request, &answer, e);
}

static int store_stat(struct sink *sink, const char *key, struct object_info *ret, struct err *e)
{
    char etag[ETAG_MAX];
    uint64_t size;
    int r = http_store_head((struct http_store *)sink, key, &size, etag, e);

    if (r < 0)
        return r;
    *ret = (struct object_info){.size = size};
    return 0;
}

/* A server that is no more than a file server. */
static int put_and_move(struct http_store *s, const struct small_object *o, struct err *e)
{
    const struct object named = {.key = o->key, .id = "0000000000000000"}; /* it has one writer at a time */
    CLEANUP_FREE char *name = NULL;
    struct small_object temporary = *o;
    char etag[ETAG_MAX];
    uint64_t there;
    int r = http_put_prepare(s, &named, NULL, &name, e);

    temporary.key = name;
    if (r == 0)
        r = http_put_data(s, &temporary, NULL, e);
    if (r == 0)
        r = http_put_finish(s, &(struct http_move){.from = name, .to = o->key, .size = o->size}, NULL, e);
    if (r == 0)
        r = http_store_head(s, o->key, &there, etag, e);
    if (r == 0 && there != o->size)
        r = err_set(e, -FAULT_CORRUPT, "http: %s/%s has %llu bytes instead of %zu", s->base, o->key,
                    (unsigned long long)there, o->size);
    return r;
}

static int store_put(struct sink *sink, const struct small_object *o, struct err *e)
{
    struct http_store *s = (struct http_store *)sink;
    int r = http_resume_find(s, NULL, e);

    if (r < 0)
        return r;
    r = s->resumable == RESUMABLE_OFFERED || s->direct != DIRECT_NONE ? http_resume_put(s, o, NULL, e)
                                                                      : put_and_move(s, o, e);
    return r < 0 ? r : 0;
}

static int store_read(struct sink *sink, const struct object_reader *reader, struct err *e)
{
    return http_store_read((struct http_store *)sink, reader, e);
}

static int store_load(struct sink *sink, void **connection, const char *key, struct buf *ret, struct err *e)
{
    const struct http_store *s = (const struct http_store *)sink;
    struct http *h = *connection;
    int r = h ? 0 : http_new(&s->options, &h, e);

    *connection = h;
    return r < 0 ? r : http_store_load(s, h, key, ret, e);
}

static void store_load_end(void *connection)
{
    http_free(connection);
}

const struct sink_ops SINK_HTTP = {
    .name = "http",
    .part_min = 4 << 20,
    .part_max = 1 << 30,
    .parts_max = UINT32_MAX,
    .resumes = true, /* where the server offers it; else every past is gone */
    .open = store_open,
    .origin = store_origin,
    .close = store_close,
    .probe = store_probe,
    .stat = store_stat,
    .put = store_put,
    .remove = store_remove,
    .list = http_list,
    .read = store_read,
    .load = store_load,
    .load_end = store_load_end,
    .upload_new = http_upload_new,
    .write = http_upload_write,
    .commit = http_upload_commit,
    .verify = http_upload_verify,
    .abort = http_upload_abort,
    .upload_free = http_upload_free,
    .abort_token = http_resume_abort,
};
