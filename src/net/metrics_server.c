/* SPDX-License-Identifier: Apache-2.0
 *
 * A small listener for metrics and liveness.
 */
#include "net/metrics_server.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http_server.h"

enum { CONNECTIONS = 16, IDLE_MS = 15 * 1000, GRACE_MS = 500 };

struct metrics_server {
    struct http_server *http;
    void (*more)(void *ctx, struct openmetrics *m);
    void *ctx;
};

static void answer_metrics(struct metrics_server *s, struct exchange *x)
{
    CLEANUP(openmetrics_done) struct openmetrics m = {0};

    openmetrics_common(&m);
    if (s->more)
        s->more(s->ctx, &m);
    if (openmetrics_end(&m) < 0) {
        exchange_answer_text(x, 503, "out of memory");
        return;
    }
    exchange_add_header(x, "Content-Type", OPENMETRICS_TYPE);
    exchange_answer(x, 200, buf_text(&m.text), m.text.size);
}

static void begin(void *ctx, struct exchange *x)
{
    bool reads = text_eq(exchange_method(x), "GET") || text_eq(exchange_method(x), "HEAD");

    if (!reads)
        exchange_answer_text(x, 405, "only GET");
    else if (text_eq(exchange_path(x), "/metrics"))
        answer_metrics(ctx, x);
    else if (text_eq(exchange_path(x), "/healthz"))
        exchange_answer_text(x, 200, "ok");
    else
        exchange_answer_text(x, 404, "there are /metrics and /healthz");
}

int metrics_server_start(const char *listen, void (*more)(void *ctx, struct openmetrics *m), void *ctx,
                         struct metrics_server **ret, struct err *e)
{
    CLEANUP_FREE struct metrics_server *s = calloc(1, sizeof(*s));
    const struct http_server_options http = {.listen = listen,
                                             .connections = CONNECTIONS,
                                             .connections_of_one = CONNECTIONS,
                                             .client_ms = IDLE_MS,
                                             .begin = begin,
                                             .ctx = s};
    int r;

    assert(listen && ret);
    if (!s)
        return err_set(e, -ENOMEM, "out of memory");
    counters_start_ns();
    s->more = more;
    s->ctx = ctx;
    if ((r = http_server_start(&http, &s->http, e)) < 0)
        return err_prefix(e, r, "--metrics %s", listen);
    *ret = TAKE_PTR(s);
    return 0;
}

int metrics_server_start_for(const char *address, void (*more)(void *ctx, struct openmetrics *m), void *ctx,
                             struct metrics_server **ret, struct err *e)
{
    int r;

    *ret = NULL;
    if (!address)
        return 0;
    if ((r = metrics_server_start(address, more, ctx, ret, e)) == 0)
        log_event(EVENT_METRICS, LOG_STR("address", metrics_server_address(*ret)));
    return r;
}

const char *metrics_server_address(const struct metrics_server *s)
{
    assert(s);
    return http_server_address(s->http);
}

void metrics_server_stop(struct metrics_server *s)
{
    if (!s)
        return;
    http_server_stop(s->http, GRACE_MS);
    free(s);
}
