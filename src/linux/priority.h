/* SPDX-License-Identifier: Apache-2.0
 *
 * Nice values. Linux gives each thread its own; a new thread has that of the one that starts it.
 */
#pragma once

#include <sys/types.h>

int priority_get(void); /* of the calling thread */

/* Of the calling thread, and threads that it starts from now on. */
void priority_set(int nice);

/* Of all threads of this process. Best effort, as is all here: a lower value wants CAP_SYS_NICE or RLIMIT_NICE. */
void priority_set_all(int nice);

/* Of another process with one thread. */
void priority_set_process(pid_t pid, int nice);
