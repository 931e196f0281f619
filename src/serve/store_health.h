/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether the store behind this server answers. A request to a dead one takes its ten seconds of tries; once one has
 * failed so, others are not made to wait for the same: they are refused at once, but for one every two seconds, which
 * finds out whether it is back. Thread-safe.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct store_health;

struct store_health *store_health_new(void); /* NULL without memory */
void store_health_free(struct store_health *h);

/* 0: ask the store, and call store_health_note with what came of it; -FAULT_BUSY, with retry_after_ms: it is down. */
int store_health_check(struct store_health *h, struct err *e);
void store_health_note(struct store_health *h, int result);

bool store_health_is_down(struct store_health *h);
