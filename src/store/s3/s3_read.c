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

/* A store and an object in it. */
struct subject {
    struct s3 *s;
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
    return s3_once(x->s, s3_http(x->s), &c, answer, e);
}

int s3_read(struct s3 *s, const struct object_reader *reader, struct err *e)
{
    struct subject subject = {s, reader->key};
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

struct load {
    struct buf *to;
};

static int take_small(void *ctx, const void *data, size_t size)
{
    return buf_add(((struct load *)ctx)->to, data, size);
}

int s3_load(struct s3 *s, struct http *h, const char *key, struct buf *ret, struct err *e)
{
    struct retry_state retry = {0};
    struct load load = {ret};
    size_t before = ret->size;

    for (;;) {
        CLEANUP(http_answer_done) struct http_answer answer = {0};
        struct s3_call c = {
            .method = "GET", .action = "GetObject", .key = key, .write = take_small, .write_ctx = &load};
        int r = s3_once(s, h, &c, &answer, e);

        if (r >= 0)
            return r;
        if (r == -EMSGSIZE)
            return s3_fail(s, e, r, "'%.200s' is larger than it should be", key);
        ret->size = before;
        if ((r = request_retry_wait(&retry, NULL, r, e)) < 0)
            return r;
    }
}
