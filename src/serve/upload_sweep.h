/* SPDX-License-Identifier: Apache-2.0
 *
 * What uploads leave behind in their folder: of requests whose server died, of resumable ones that nobody goes on with,
 * and records of those that are complete. Swept before the start, and then every hour, or in a quarter of --abandoned,
 * by a thread. What is locked is in use.
 */
#pragma once

#include "serve/uploads.h"

struct upload_sweeper;

int upload_sweep_start(struct uploads *u, struct upload_sweeper **ret, struct err *e);
void upload_sweep_stop(struct upload_sweeper *s); /* NULL is fine */

/* One sweep: how many uploads were removed. */
unsigned upload_sweep_once(struct uploads *u);

/* Resumable uploads whose ids begin with this, and to which nothing came for so long: how many were removed. */
unsigned upload_sweep_older(const struct uploads *u, const char *prefix, uint64_t age_ms);

/* Bytes of resumable uploads into a namespace that no request works on. ctx: struct uploads. */
uint64_t upload_sweep_waiting(void *ctx, const char *namespace);
