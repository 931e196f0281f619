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

/* As metrics_server_start with the common families alone, for a command's --metrics: logs the address. address NULL:
 * does nothing, *ret is NULL. */
int metrics_server_start_common(const char *address, struct metrics_server **ret, struct err *e);

/* With the port in use. */
const char *metrics_server_address(const struct metrics_server *s);

void metrics_server_stop(struct metrics_server *s); /* NULL is fine */

DEFINE_CLEANUP(struct metrics_server *, metrics_server_stop)
