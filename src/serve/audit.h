/* SPDX-License-Identifier: Apache-2.0
 *
 * Who did what: an event for each upload, download, deletion, sign-in, signed link and refusal.
 */
#pragma once

#include "serve/request.h"

/* A request is over. status 0: its connection broke. Refusals of callers who present nothing are counted together when
 * they are many. */
void audit_over(const struct request *r, unsigned status, uint64_t sent_bytes);
