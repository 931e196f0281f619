/* SPDX-License-Identifier: Apache-2.0
 *
 * Before Linux 5.3 there is no descriptor for a child's end (pidfd): a wait with a deadline polls every few
 * milliseconds.
 */
#include "base/wait.h"

#include <errno.h>
#include <limits.h>
#include <sys/wait.h>

#include "base/clock.h"

enum { ASK_MS = 5 };

int wait_child(pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return status;
}

int wait_child_until(pid_t child, uint64_t until_ms)
{
    for (;;) {
        int status;
        pid_t r = waitpid(child, &status, WNOHANG);

        if (r == child)
            return status;
        if (r < 0 && errno != EINTR)
            return -errno;
        if (clock_left_ms(until_ms) == 0)
            return -ETIMEDOUT;
        clock_sleep_ms(ASK_MS);
    }
}

int wait_timeout(uint64_t now_ms, uint64_t until_ms)
{
    uint64_t left = until_ms > now_ms ? until_ms - now_ms : 0;

    return until_ms == UINT64_MAX ? -1 : left < INT_MAX ? (int)left : INT_MAX;
}

int wait_ready(struct pollfd *fds, nfds_t count, uint64_t until_ms)
{
    for (;;) {
        int r = poll(fds, count, wait_timeout(clock_mono_ms(), until_ms));

        if (r > 0 || (r == 0 && clock_left_ms(until_ms) == 0))
            return r;
        if (r < 0 && errno != EINTR)
            return -errno;
    }
}
