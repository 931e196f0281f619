/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The sentence for a thread dump or javacore: deadlocks, what most threads wait for, what they do.
 */
#pragma once

#include "base/summary.h"

#include <stddef.h>

/* "DEADLOCK of 2 threads: "pay-1", "pay-2"; 12 threads wait for a Stuck$Cart held by "owner" at Stuck$Cart.holdUntil
 * (Stuck.java:25); 42 threads: 1 running, 16 blocked, 23 idle". Of several dumps the last. 0; -EBADMSG: there is no
 * thread dump in it; -ENOMEM. */
int thread_summary(const void *data, size_t size, struct summary *ret);
