/* SPDX-License-Identifier: Apache-2.0
 *
 * A sink of the server's store, a folder or elsewhere, for one request or one piece of work of the calling thread.
 */
#pragma once

#include "serve/serve.h"

int serve_sink_take(struct serve *s, struct sink **ret, struct err *e);
void serve_sink_give(struct serve *s, struct sink *sink); /* NULL is fine */
