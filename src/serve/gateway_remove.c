/* SPDX-License-Identifier: Apache-2.0
 *
 * DELETE of an object of a store elsewhere. As remove.c, its manifest goes first.
 */
#include <errno.h>

#include "base/fault.h"
#include "base/mem.h"
#include "serve/answer_store.h"
#include "serve/gateway.h"
#include "serve/root.h"
#include "ship/manifest.h"

static int remove_both(struct sink *s, const char *key, struct err *e)
{
    CLEANUP(buf_done) struct buf manifest = {0};
    struct object_info there;
    int r;

    if (buf_printf(&manifest, "%s" MANIFEST_SUFFIX, key) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = s->ops->stat(s, key, &there, e)) < 0 || (r = s->ops->remove(s, buf_text(&manifest), e)) < 0)
        return r;
    return s->ops->remove(s, key, e);
}

void gateway_remove(struct request *r)
{
    struct gateway *g = r->serve->gateway;
    struct sink *s;
    struct err e = {0};
    int result;

    if (!request_may(r, RIGHT_DELETE))
        return;
    if (root_hides(r->key)) {
        exchange_answer_text(r->exchange, 404, "not found");
        return;
    }
    if ((result = gateway_take(g, &s, &e)) == 0) {
        result = remove_both(s, r->key, &e);
        gateway_give(g, s, result);
    }
    if (result < 0) {
        gateway_fail(r, result, &e);
        return;
    }
    answers_remove(r->serve, r->key);
    serve_removed(r->serve, r->key);
    exchange_answer(r->exchange, 204, "", 0);
}
