/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking at a file without disturbing it.
 */
#include "watch/settle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/lease.h"

enum { SEGMENTS_MAX = 64, UNCLOSED_FACTOR = 4 };

/* JDK 22 and newer write NAME.p0, NAME.p1 … while NAME rests: they count as part of it. */
static uint64_t segments_size(int dirfd, const char *name, int64_t *newest_ns)
{
    uint64_t size = 0;

    for (unsigned i = 0; text_ends(name, ".hprof") && i < SEGMENTS_MAX; i++) {
        char segment[NAME_MAX + 8];
        struct stat st;

        snprintf(segment, sizeof(segment), "%s.p%u", name, i);
        if (fstatat(dirfd, segment, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            int64_t mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;

            size += (uint64_t)st.st_size + 1;
            if (mtime_ns > *newest_ns)
                *newest_ns = mtime_ns;
        }
    }
    return size;
}

static void look_at_rest(struct settle *s, int dirfd, const char *name, uint64_t rest_ms, uint64_t now_ms,
                         struct settle_look *ret)
{
    int64_t newest_ns = ret->identity.mtime_ns;
    uint64_t size = ret->identity.size + segments_size(dirfd, name, &newest_ns);
    uint64_t needed_ms = s->closed ? rest_ms : rest_ms * UNCLOSED_FACTOR;
    int64_t age_ns = clock_wall_ns() - newest_ns;

    /* Untouched for long by its own clock: no need to watch it rest. A clock that jumped (age < 0) proves nothing. */
    if (age_ns > (int64_t)needed_ms * 1000000 * UNCLOSED_FACTOR) {
        ret->state = SETTLE_COMPLETE;
        return;
    }
    if (s->since_ms == 0 || size != s->size || newest_ns != s->mtime_ns) {
        s->size = size;
        s->mtime_ns = newest_ns;
        s->since_ms = now_ms ? now_ms : 1;
    }
    if (now_ms - s->since_ms >= needed_ms) {
        ret->state = SETTLE_COMPLETE;
        return;
    }
    ret->state = SETTLE_RESTING;
    ret->wait_ms = needed_ms - (now_ms - s->since_ms);
}

/* Gone, a link, a socket: no evidence. Descriptors, memory, a broken disk: that says nothing about the file. */
static void look_failed(int error, struct settle_look *ret)
{
    if (!fault_passes(error))
        return;
    ret->state = SETTLE_TROUBLE;
    ret->error = error;
}

void settle_look(struct settle *s, int dirfd, const char *name, const char *machine, bool network, uint64_t rest_ms,
                 uint64_t now_ms, struct settle_look *ret)
{
    CLEANUP_FD int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    CLEANUP_FD int known = -1;
    int r;

    *ret = (struct settle_look){.state = SETTLE_NO_EVIDENCE, .fd = -1};
    if (fd < 0) {
        if (errno != EACCES && errno != EPERM) {
            look_failed(-errno, ret);
            return;
        }
        known = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (known >= 0 && identity_get(known, machine, &ret->identity) == 0 && S_ISREG(ret->identity.mode))
            ret->state = SETTLE_UNREADABLE;
        return;
    }
    if ((r = identity_get(fd, machine, &ret->identity)) < 0)
        look_failed(r, ret);
    if (r < 0 || !S_ISREG(ret->identity.mode))
        return;
    switch (network ? LEASE_UNKNOWN : lease_probe(fd)) {
    case LEASE_NO_WRITER:
        ret->state = SETTLE_COMPLETE;
        break;
    case LEASE_WRITER:
        ret->state = SETTLE_WRITTEN;
        break;
    case LEASE_UNKNOWN:
        look_at_rest(s, dirfd, name, rest_ms, now_ms, ret);
        break;
    }
    if (ret->state == SETTLE_COMPLETE || ret->state == SETTLE_WRITTEN)
        ret->fd = TAKE_FD(fd);
}
