/* SPDX-License-Identifier: Apache-2.0
 *
 * Our priority for the kernel's OOM killer (proc(5), oom_score_adj).
 */
#pragma once

/* Makes this process and its children the OOM killer's first choice in the cgroup, so that it does not kill the
 * application. Best effort. */
void oomscore_offer(void);
