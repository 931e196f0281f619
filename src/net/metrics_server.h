/* SPDX-License-Identifier: Apache-2.0
 *
 * A small listener for metrics and liveness: GET /metrics and GET /healthz, and nothing else. Without rights: whoever
 * can connect may read. At rest it costs two threads that sleep.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "base/openmetrics.h"

struct metrics_server;

/* listen: as for http_server_start. more: adds families behind the common ones, called on the listener's threads; may
 * be NULL. Faults as http_server_start. */
int metrics_server_start(const char *listen, void (*more)(void *ctx, struct openmetrics *m), void *ctx,
                         struct metrics_server **ret, struct err *e);

/* The same for a command's --metrics: logs the address. address NULL: does nothing, *ret is NULL. */
int metrics_server_start_for(const char *address, void (*more)(void *ctx, struct openmetrics *m), void *ctx,
                             struct metrics_server **ret, struct err *e);

/* That option, in a table of options: o.member is a const char *. */
#define METRICS_OPTION(o, member)                                                                                      \
    {                                                                                                                  \
        OPT_STRING, 0, "metrics", "ADDRESS", NULL, offsetof(o, member),                                                \
            "shows /metrics (OpenMetrics) and /healthz there, to every client that can connect: 127.0.0.1:9090, :9090" \
    }

/* With the port in use. */
const char *metrics_server_address(const struct metrics_server *s);

void metrics_server_stop(struct metrics_server *s); /* NULL is fine */

DEFINE_CLEANUP(struct metrics_server *, metrics_server_stop)
