/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads that run only while no other wants the processor (SCHED_IDLE, sched(7)), for a while. Any other thread that
 * wakes takes the processor from them at once, which a nice value does not bring about.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* The calling thread, and what it starts from now on: threads, processes. False: it keeps its policy, as that is not
 * the usual one, or as the kernel would not let it return (CAP_SYS_NICE, or RLIMIT_NICE). */
bool priority_idle(void);

/* Back to the usual: all threads of this process; the main thread of another. */
void priority_usual_all(void);
void priority_usual_process(pid_t pid);
