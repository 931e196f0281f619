/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting for children and descriptors, until a point of the monotonic clock (clock_mono_ms). Signals do not end a
 * wait.
 */
#pragma once

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

/* Reaps a child. Its wait status (WIFEXITED and the like), or -errno: -ECHILD if it was reaped elsewhere. */
int wait_child(pid_t child);

/* The same until a deadline; -ETIMEDOUT: the child was not reaped. */
int wait_child_until(pid_t child, uint64_t until_ms);

/* The timeout for poll(2) and epoll_wait(2) from now on: -1, which is no timeout, for UINT64_MAX. */
int wait_timeout(uint64_t now_ms, uint64_t until_ms);

/* poll(2) until a deadline: how many descriptors are ready; 0: the time is up; -errno. Polls at least once, even after
 * the deadline. */
int wait_ready(struct pollfd *fds, nfds_t count, uint64_t until_ms);
