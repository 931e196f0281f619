/* SPDX-License-Identifier: Apache-2.0
 *
 * From options to the HTTP server's, from its notices to events.
 */
#include "serve/listening.h"

#include "base/fault.h"
#include "base/log.h"

enum { CONNECTIONS_MAX = 100000 };

static void notice(void *ctx, const struct http_notice *n)
{
    (void)ctx;
    log_event(EVENT_CLIENTS_REFUSED, LOG_STR("reason", n->text), LOG_STR("client", n->client),
              LOG_UINT("count", n->count));
}

static void certificate(void *ctx, const char *failure)
{
    (void)ctx;
    if (failure)
        log_event(EVENT_CERTIFICATE_KEPT, LOG_STR("error", failure));
    else
        log_event(EVENT_CERTIFICATE_READ);
}

int listening_http(const struct listening_options *o, struct http_server_options *ret, struct err *e)
{
    if (o->connections == 0 || o->connections > CONNECTIONS_MAX || o->connections_of_one == 0 ||
        o->connections_of_one > CONNECTIONS_MAX)
        return err_set(e, -FAULT_USAGE, "--connections and --connections-per-address: 1 to %d", CONNECTIONS_MAX);
    if (o->client_ms < 1000)
        return err_set(e, -FAULT_USAGE, "--client-timeout: at least 1s");
    ret->listen = o->listen;
    ret->tls_cert = o->tls_cert;
    ret->tls_key = o->tls_key;
    ret->connections = (unsigned)o->connections;
    ret->connections_of_one = (unsigned)o->connections_of_one;
    ret->client_ms = o->client_ms;
    ret->notice = notice;
    ret->certificate = certificate;
    return 0;
}
