/* SPDX-License-Identifier: Apache-2.0
 *
 * What the server adds to its metrics.
 */
#pragma once

#include "base/openmetrics.h"

/* ctx: the struct serve. For metrics_server_start, too. */
void metrics_of_serve(void *ctx, struct openmetrics *m);
