/* SPDX-License-Identifier: Apache-2.0
 *
 * The original limits, and the raised ones.
 */
#include "base/rlimits.h"

#include <fcntl.h>
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

bool rlimits_files_spare(unsigned count)
{
    int fd[RLIMITS_SPARE_MAX];
    unsigned got = 0;

    while (got < count && got < RLIMITS_SPARE_MAX && (fd[got] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
        got++;
    for (unsigned i = 0; i < got; i++)
        close(fd[i]);
    return got == count;
}

void rlimits_restore(void)
{
    signal(SIGXFSZ, SIG_DFL);
    if (raised)
        setrlimit(RLIMIT_NOFILE, &found);
}
