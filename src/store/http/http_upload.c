/* SPDX-License-Identifier: Apache-2.0
 *
 * An object on its way to a file server: which way it takes (http_resume.c, http_direct.c, http_stream.c), and how the
 * result is verified.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/http/http_store.h"
#include "store/readback.h"

int http_upload_new(struct sink *sink, const struct upload_start *start, struct upload **ret, struct err *e)
{
    struct http_store *s = (struct http_store *)sink;
    const struct object *o = start->object;
    int r;

    assert(o && o->key && o->id && start->events && start->events->done);
    (void)o;
    if ((r = http_resume_find(s, start, e)) < 0)
        return r;
    if (s->resumable == RESUMABLE_OFFERED)
        return http_resume_new(s, start, ret, e);
    return http_direct_wanted(s, start) ? http_direct_new(s, start, ret, e) : http_upload_stream_new(s, start, ret, e);
}

int http_upload_write(struct upload *u, struct part *p, struct err *e)
{
    return u->way->write(u, p, e);
}

int http_upload_commit(struct upload *u, const struct whole *w, struct err *e)
{
    return u->way->commit(u, w, e);
}

void http_upload_abort(struct upload *u)
{
    u->way->abort(u);
}

void http_upload_free(struct upload *u)
{
    if (u)
        u->way->free(u);
}

struct download {
    struct readback check;
    uint64_t size; /* as the server reports it */
    const struct whole *whole;
};

static int to_check(void *ctx, const void *data, size_t size)
{
    struct download *b = ctx;

    /* of another size: the rest need not be downloaded */
    return b->size == b->whole->size ? readback_add(&b->check, data, size) : -FAULT_CORRUPT;
}

int http_upload_verify(struct upload *u, const struct whole *w, bool read, struct err *e)
{
    CLEANUP_FREE char *url = http_store_url(u->store, u->object->key);
    struct download b = {.whole = w};
    struct object_reader reader = {.key = u->object->key, .ret_size = &b.size, .fn = to_check, .ctx = &b};
    int r;

    if (!read)
        return 1;
    if (u->confirmed)
        return 0; /* the server has reported the digest of what it stored */
    r = url ? readback_init(&b.check) : -ENOMEM;
    if (r < 0)
        return err_set(e, r, "out of memory");
    r = http_store_read(u->store, &reader, e);
    if (r == -FAULT_DENIED)
        r = 1; /* we may write and not read: sending it again would not help */
    else if ((r == 0 || r == -FAULT_CORRUPT) && b.size != w->size)
        r = err_set(e, -FAULT_CORRUPT, "http: %s has %" PRIu64 " bytes instead of %" PRIu64, url, b.size, w->size);
    else if (r == 0)
        r = readback_same(&b.check, w, url, e);
    readback_done(&b.check);
    return r;
}
