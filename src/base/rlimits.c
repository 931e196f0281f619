/* SPDX-License-Identifier: Apache-2.0
 *
 * The limits as we found them, and as we need them.
 */
#include "base/rlimits.h"

#include <signal.h>
#include <sys/resource.h>

static struct rlimit found;
static bool raised;

void rlimits_raise(void)
{
    struct rlimit r;

    signal(SIGXFSZ, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur >= r.rlim_max)
        return;
    found = r;
    r.rlim_cur = r.rlim_max;
    raised = setrlimit(RLIMIT_NOFILE, &r) == 0;
}

bool rlimits_suffice(void)
{
    enum { NEEDED = 8 };
    struct rlimit r;

    return getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur >= NEEDED;
}

void rlimits_restore(void)
{
    signal(SIGXFSZ, SIG_DFL);
    if (raised)
        setrlimit(RLIMIT_NOFILE, &found);
}
