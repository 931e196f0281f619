/* SPDX-License-Identifier: Apache-2.0
 *
 * Ends the process after SIGTERM or SIGINT though its loop hangs in a call to a file system: when the loop has not seen
 * the signal in time, or has seen it and is still there when its grace is over. A thread that sleeps until then; it
 * takes these signals in the stead of the thread that hangs. A call that not even SIGKILL ends keeps the process.
 */
#pragma once

#include <stdint.h>

struct loop_watchdog;

enum { LOOP_WATCHDOG_MS = 5000 };

/* By the loop's thread, whose signals they are no more; libuv's handlers stay as they are. last: right before the end,
 * in the watchdog's thread; the process exits with exit_code then. NULL: there is no thread, and all is as before. */
struct loop_watchdog *loop_watchdog_start(uint64_t patience_ms, uint64_t grace_ms, void (*last)(void), int exit_code);

/* The loop has seen a signal. NULL is fine. */
void loop_watchdog_seen(struct loop_watchdog *w);
