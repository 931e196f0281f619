/* SPDX-License-Identifier: Apache-2.0
 *
 * Ends the process after SIGTERM or SIGINT even if its loop hangs in a call to a file system: when the loop has not
 * read the signal in time, or has read it and has not ended within its grace period. A thread that sleeps until then,
 * and receives these signals instead of the loop's thread. If not even SIGKILL ends the call, the process stays.
 */
#pragma once

#include <stdint.h>

struct loop_watchdog;

enum { LOOP_WATCHDOG_MS = 5000 };

/* Called by the loop's thread, in which SIGTERM and SIGINT are blocked from then on; libuv's handlers stay. last:
 * called in the watchdog's thread before the process exits with exit_code. NULL: no thread could be started, and
 * nothing has changed. */
struct loop_watchdog *loop_watchdog_start(uint64_t patience_ms, uint64_t grace_ms, void (*last)(void), int exit_code);

/* The loop has read a signal. w may be NULL. */
void loop_watchdog_seen(struct loop_watchdog *w);
