/* SPDX-License-Identifier: Apache-2.0
 *
 * Ends this process at a deadline, or at a signal (linux/interrupt.h), even while it waits for a store: a thread checks
 * both. What was sent is in the journal, and the next worker resumes from there.
 */
#pragma once

#include <stdint.h>

struct watchdog;

/* until_ms: monotonic; 0: signals only. last: called in that thread before the end, to report it; why: "the time is
 * up", "stopped by SIGINT". Then the process dies of the signal, or exits with FAULT_LATER's code. NULL without
 * memory. */
struct watchdog *watchdog_start(uint64_t until_ms, void (*last)(void *ctx, const char *why), void *ctx);

/* Stops the watchdog; does not return while `last` runs. Accepts NULL. */
void watchdog_stop(struct watchdog *w);
