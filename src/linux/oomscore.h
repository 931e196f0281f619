/* SPDX-License-Identifier: Apache-2.0
 *
 * Who goes first when memory runs out (proc(5), oom_score_adj).
 */
#pragma once

/* Offers this process, and what it will fork, to the kernel's OOM killer before all others of its cgroup: beside an
 * application it is to take us, not it. Best effort. */
void oomscore_offer(void);
