/* SPDX-License-Identifier: Apache-2.0
 *
 * One number in a memfd; 0: nothing was reported.
 */
#include "hotspot/dumpspeed.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

enum { SMALL_BYTES = 16 << 20, SMALL_MS = 20 };

int dumpspeed_init(struct dumpspeed *s, uint64_t given)
{
    *s = (struct dumpspeed){.fd = -1, .rate = given ? given : DUMPSPEED_GUESS};
    if (given)
        return 0;
    s->fd = memfd_create("dump-speed", MFD_CLOEXEC);
    return s->fd < 0 ? -errno : 0;
}

void dumpspeed_done(struct dumpspeed *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

void dumpspeed_update(struct dumpspeed *s)
{
    uint64_t reported = 0, nothing = 0;

    if (s->fd < 0 || pread(s->fd, &reported, sizeof(reported), 0) != (ssize_t)sizeof(reported) || reported == 0)
        return;
    if (pwrite(s->fd, &nothing, sizeof(nothing), 0) != (ssize_t)sizeof(nothing))
        return;
    s->rate = reported < DUMPSPEED_MIN ? DUMPSPEED_MIN : reported > DUMPSPEED_MAX ? DUMPSPEED_MAX : reported;
}

void dumpspeed_report(int fd, uint64_t bytes, uint64_t ms)
{
    uint64_t rate;

    if (fd < 0 || bytes < SMALL_BYTES || ms < SMALL_MS)
        return;
    rate = (uint64_t)((double)bytes / (double)ms * 1000);
    /* Only a better guess is lost. */
    if (pwrite(fd, &rate, sizeof(rate), 0) < 0)
        errno = 0;
}
