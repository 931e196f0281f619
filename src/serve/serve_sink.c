/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder's sink costs nothing to open; others come from the gateway's pool.
 */
#include "serve/serve_sink.h"

#include "serve/gateway.h"

int serve_sink_take(struct serve *s, struct sink **ret, struct err *e)
{
    struct sink_config quiet = *s->config.store;

    if (s->gateway)
        return sink_pool_take(gateway_sinks(s->gateway), ret, e);
    quiet.notice = NULL;
    return sink_open(&quiet, ret, e);
}

void serve_sink_give(struct serve *s, struct sink *sink)
{
    if (s->gateway)
        sink_pool_give(gateway_sinks(s->gateway), sink);
    else
        sink_close(sink);
}
