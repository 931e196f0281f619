/* SPDX-License-Identifier: Apache-2.0
 *
 * /healthz: the process answers. /readyz: so does the store, and all manifests were read once; else the reason. Both
 * without signing in: a kubelet has no token.
 */
#include "base/text.h"
#include "serve/route.h"

void health_answer(struct request *r)
{
    struct err e;

    exchange_add_header(r->exchange, "Cache-Control", "no-store");
    if (text_eq(r->key, "healthz")) {
        exchange_answer_text(r->exchange, 200, "ok");
    } else if (catalogue_ready(r->serve->catalogue, &e)) {
        exchange_answer_text(r->exchange, 200, "ready");
    } else {
        exchange_add_header(r->exchange, "Retry-After", "5");
        exchange_answer_text(r->exchange, 503, "%s", e.msg);
    }
}
