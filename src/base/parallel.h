/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the same function on several threads, for work that waits for a network, not for a CPU. The function takes
 * pieces of work under its own lock.
 */
#pragma once

enum { PARALLEL_MAX = 64 };

/* Runs work(ctx) on up to `count` threads (at most PARALLEL_MAX), the calling one included, and returns when all have
 * finished. If threads can't be started, fewer are used: work loops until no piece is left. The started threads have
 * small stacks and all signals blocked. */
void parallel_run(unsigned count, void (*work)(void *ctx), void *ctx);
