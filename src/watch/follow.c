/* SPDX-License-Identifier: Apache-2.0
 *
 * What following costs the JVM depends on the processors that both may use.
 */
#include "watch/follow.h"

#include <sched.h>

#include "linux/cpulimit.h"

enum { LEAST = 500, LEAST_SHARED = 2000 }; /* thousandths of a processor */

bool follow_affordable(unsigned processors, unsigned limit, bool shared)
{
    return processors >= 2 && (limit == 0 || limit >= (shared ? LEAST_SHARED : LEAST));
}

bool follow_wanted(enum follow choice, bool shared)
{
    cpu_set_t set;
    unsigned processors = sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;

    return choice == FOLLOW_AUTO ? follow_affordable(processors, cpulimit_get("/"), shared) : choice == FOLLOW_YES;
}
