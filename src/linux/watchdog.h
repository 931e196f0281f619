/* SPDX-License-Identifier: Apache-2.0
 *
 * Ends this process in time, or at a signal (linux/interrupt.h), though it waits for a store just then: a thread looks
 * at both. What was sent so far is in the journal; the next worker goes on from there.
 */
#pragma once

#include <stdint.h>

struct watchdog;

/* until_ms: monotonic; 0: signals alone. last: runs before the end, in that thread, and says so on stderr; why: "the
 * time is up", "stopped by SIGINT". Then the process dies of the signal, or exits with FAULT_LATER. NULL without
 * memory. */
struct watchdog *watchdog_start(uint64_t until_ms, void (*last)(void *ctx, const char *why), void *ctx);

/* From now on nothing happens any more; does not return while last runs. NULL is fine. */
void watchdog_stop(struct watchdog *w);
