/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests whose answers come bit by bit over minutes, without a thread that waits for them: for loops that poll. One
 * request at a time; the connection is kept for the next one, and TCP finds out that a silent peer is gone.
 */
#pragma once

#include <poll.h>

#include "net/http.h"
#include "net/http_sockets.h"

struct http_stream;

/* Takes h over. -ENOMEM. */
int http_stream_new(struct http *h, struct http_stream **ret, struct err *e);
void http_stream_free(struct http_stream *s);

/* Begins a request, which is the caller's and stays until it has ended. Its limit_ms holds; what the answer may take
 * between two bytes is http_options.timeout_ms. 0 or negative as http_perform. */
int http_stream_begin(struct http_stream *s, const struct http_request *r, struct err *e);

/* What to wait for: descriptors, and a point of clock_mono_ms() (UINT64_MAX: none). */
unsigned http_stream_fds(const struct http_stream *s, struct pollfd ret[HTTP_SOCKETS_MAX]);
uint64_t http_stream_due_ms(const struct http_stream *s);

/* After a wait: does what can be done without waiting, and calls the request's write. 1: the answer goes on, 0: it is
 * complete, negative: as http_perform. After 0 or a failure nothing is under way. */
int http_stream_act(struct http_stream *s, struct err *e);

/* Breaks off what is under way, and closes its connection. */
void http_stream_cancel(struct http_stream *s);

/* Of the request that is under way, or of the last one: its status is there once its head is; its body only if it is
 * not 2xx. Borrowed. */
const struct http_answer *http_stream_answer(const struct http_stream *s);
