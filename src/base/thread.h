/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads beside the main one. All signals but those of their own faults are blocked in them: the kernel delivers
 * signals to the main thread, and interrupts no system call of the others.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>

/* stack_bytes: of the new thread; at least what the system wants. 0, or -errno (-EAGAIN: the limit of threads is
 * reached); *ret is untouched then. The caller joins or detaches it. */
int thread_start(pthread_t *ret, size_t stack_bytes, void *(*run)(void *ctx), void *ctx);

/* Gives back the memory of the calling thread's stack below its caller, `bytes` of it: the stack has to be that much
 * larger than what is in use. For a thread that will wait long. */
void thread_trim_stack(size_t bytes);
