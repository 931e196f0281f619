/* SPDX-License-Identifier: Apache-2.0
 *
 * What the server has answered, for its metrics. Safe from any thread.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum { TRAFFIC_STATUS_MAX = 600 };

struct traffic {
    _Atomic uint64_t answers[TRAFFIC_STATUS_MAX]; /* by status; 0: the connection broke before there was one */
    _Atomic uint64_t sent_bytes;
    _Atomic int64_t requests, uploads; /* under way; uploads: those with a body */
};
