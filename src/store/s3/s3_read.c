/* SPDX-License-Identifier: Apache-2.0
 *
 * GET, of a range or of a small object.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/ranged_read.h"
#include "store/s3/s3_object.h"

/* An object in a store, and the connection to it. */
struct subject {
    struct s3 *s;
    struct http *http;
    const char *key;
};

static int get(void *ctx, const struct ranged_request *r, struct http_answer *answer, struct err *e)
{
    const struct subject *x = ctx;
    struct s3_call c = {.method = "GET", .action = "GetObject", .key = x->key, .write = r->write, .write_ctx = r->ctx};

    if (r->range)
        s3_header(&c, "Range", r->range);
    if (r->match)
        s3_header(&c, "If-Match", r->match);
    return s3_once(x->s, x->http, &c, answer, e);
}

int s3_read(struct s3 *s, const struct object_reader *reader, struct err *e)
{
    struct subject subject = {s, s3_http(s), reader->key};
    struct ranged_source source = {.name = s3_dialect(s)->name, .get = get, .ctx = &subject};
    struct object_reader whole = *reader;
    struct object_info info = {0};
    struct s3_head head;
    int r;

    assert(reader->key && reader->fn);
    if (!reader->known) {
        if ((r = s3_head(s, &(struct s3_subject){.key = reader->key}, &head, e)) < 0)
            return r;
        info.size = head.size;
        snprintf(info.etag, sizeof(info.etag), "%s", head.etag);
        whole.known = &info;
    }
    return ranged_read(&source, &whole, e);
}

int s3_load(struct s3 *s, struct http *h, const char *key, struct buf *ret, struct err *e)
{
    struct subject subject = {s, h, key};
    struct ranged_source source = {.name = s3_dialect(s)->name, .get = get, .ctx = &subject};

    return ranged_load(&source, key, ret, e);
}
