/* SPDX-License-Identifier: Apache-2.0
 *
 * Redirects to the store. The URL is as good as the object: it stands in the answer, and in no log.
 */
#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "serve/gateway.h"

enum { MS_PER_S = 1000 };

static int make_url(struct request *r, const struct gateway_redirect *what, struct secret **ret, struct err *e)
{
    struct gateway *g = r->serve->gateway;
    const struct presign presign = {.method = "GET",
                                    .key = r->key,
                                    .valid_s = (gateway_config(g)->presign_ms + MS_PER_S - 1) / MS_PER_S,
                                    .content_type = what->type,
                                    .content_disposition = what->disposition};
    struct sink *s;
    int result = sink_pool_take(gateway_sinks(g), &s, e);

    if (result < 0)
        return result;
    result = s->ops->presign(s, &presign, ret, e);
    sink_pool_give(gateway_sinks(g), s);
    return result;
}

bool gateway_redirect(struct request *r, const struct gateway_redirect *what)
{
    struct gateway *g = r->serve->gateway;
    struct secret *url = NULL;
    struct err ignored;

    assert(what->disposition && what->type);
    if (gateway_config(g)->presign_ms == 0 || !gateway_ops(g)->presign || make_url(r, what, &url, &ignored) < 0)
        return false;
    request_audit(r, "download", NULL, what->size);
    exchange_add_header(r->exchange, "Location", secret_expose(url));
    exchange_add_header(r->exchange, "Cache-Control", "no-store");
    exchange_add_header(r->exchange, "Referrer-Policy", "no-referrer");
    exchange_answer_text(r->exchange, 307, "the object is to be had from the store itself");
    secret_free(url);
    return true;
}
