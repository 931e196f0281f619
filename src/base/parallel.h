/* SPDX-License-Identifier: Apache-2.0
 *
 * The same work on several threads at once: for what waits for a network, not for a processor. What there is to do, and
 * the lock around it, are the work's own.
 */
#pragma once

enum { PARALLEL_MAX = 64 };

/* Runs work(ctx) on up to `count` threads (at most PARALLEL_MAX), the calling one among them, and returns when all are
 * through. Threads that can't be started are done without: work takes one piece after the other until none is left.
 * Small stacks, all signals blocked on the further threads. */
void parallel_run(unsigned count, void (*work)(void *ctx), void *ctx);
