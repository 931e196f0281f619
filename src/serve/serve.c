/* SPDX-License-Identifier: Apache-2.0
 *
 * Start and end of the server, and its parts' order.
 */
#include "serve/serve.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "serve/route.h"

static void begin(void *ctx, struct exchange *x)
{
    struct request *r = request_new(ctx, x);

    if (r)
        route_request(r);
}

static void serve_free(struct serve *s)
{
    if (!s)
        return;
    http_server_stop(s->http, s->config.grace_ms);
    uploads_close(s->uploads);
    access_free(s->access);
    if (s->root_fd >= 0)
        close(s->root_fd);
    free(s);
}

DEFINE_CLEANUP(struct serve *, serve_free)

int serve_start(const struct serve_config *config, struct serve **ret, struct err *e)
{
    CLEANUP(serve_free_ptr) struct serve *s = calloc(1, sizeof(*s));
    struct http_server_options http = config->http;
    int r;

    assert(config->store && ret);
    if (!s)
        return err_set(e, -ENOMEM, "out of memory");
    s->config = *config;
    s->root_fd = -1;
    if (config->root && (s->root_fd = open(config->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return err_set(e, -FAULT_FOLDER, "--root %s: %s", config->root, strerror(errno));
    if ((r = access_new(&config->access, s->root_fd, &s->access, e)) < 0)
        return r;
    if (s->root_fd >= 0 && (r = uploads_open(&config->upload, s->root_fd, &s->uploads, e)) < 0)
        return r;
    http.begin = begin;
    http.ctx = s;
    if ((r = http_server_start(&http, &s->http, e)) < 0)
        return r;
    *ret = TAKE_PTR(s);
    return 0;
}

void serve_stop(struct serve *s)
{
    serve_free(s);
}

void serve_stored(struct serve *s, const char *key, uint64_t size)
{
    (void)s, (void)key, (void)size;
}

void serve_removed(struct serve *s, const char *key)
{
    if (s->uploads)
        uploads_removed(s->uploads, key);
}
