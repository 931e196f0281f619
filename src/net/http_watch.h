/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a served connection gets on: in each period the client must send or take a minimum of bytes, while we wait
 * for it. A client that sends a byte now and then does not.
 */
#pragma once

#include "net/http_connection.h"

enum { HTTP_WATCH_FINE = -1 };

/* HTTP_WATCH_FINE, or the enum http_reason to cut it off. To be called about once a second. */
int http_watch(struct http_connection *c, uint64_t now_ms);
