/* SPDX-License-Identifier: Apache-2.0
 *
 * The limits as we found them, and as we need them.
 */
#include "base/rlimits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

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

unsigned rlimits_files_left(void)
{
    int lowest = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    struct rlimit r;

    if (lowest < 0 && errno == EMFILE)
        return 0;
    if (lowest >= 0)
        close(lowest);
    if (lowest < 0 || getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur > INT_MAX)
        return INT_MAX;
    return r.rlim_cur > (rlim_t)lowest ? (unsigned)(r.rlim_cur - (rlim_t)lowest) : 0;
}

void rlimits_restore(void)
{
    signal(SIGXFSZ, SIG_DFL);
    if (raised)
        setrlimit(RLIMIT_NOFILE, &found);
}
