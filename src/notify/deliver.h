/* SPDX-License-Identifier: Apache-2.0
 *
 * One notice to one target, once: a request, or a program. Has a deadline in all (DELIVER_MS).
 */
#pragma once

#include "base/err.h"
#include "net/http.h"
#include "notify/notify_target.h"

enum { DELIVER_MS = 30 * 1000, DELIVER_ANSWER_MAX = 64 * 1024 };

/* 0 once the target has it. -FAULT_BUSY (429, 5xx; e->retry_after_ms), -FAULT_UNREACHABLE, -FAULT_STALLED, -FAULT_TLS:
 * may pass; -FAULT_DENIED (401, 403), -FAULT_NO_OBJECT (404, 410), -FAULT_REFUSED (others; a program that fails).
 * Messages never repeat the URL. */
int deliver(const struct notify_target *t, const struct notice *n, struct http *http, struct err *e);
