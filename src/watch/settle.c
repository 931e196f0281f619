/* SPDX-License-Identifier: Apache-2.0
 *
 * Polls a file without disturbing it: never blocks, and takes no lease that its writer would notice.
 */
#include "watch/settle.h"

#include <assert.h>
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

/* What has to stay the same. */
struct extent {
    uint64_t size;
    int64_t mtime_ns;
};

/* JDK 22 and newer write NAME.p0, NAME.p1 … while NAME stays the same: they count as part of it. */
static struct extent extent_of(int dirfd, const char *name, const struct identity *file)
{
    struct extent e = {file->size, file->mtime_ns};

    for (unsigned i = 0; text_ends(name, ".hprof") && i < SEGMENTS_MAX; i++) {
        char segment[NAME_MAX + 8];
        struct stat st;

        snprintf(segment, sizeof(segment), "%s.p%u", name, i);
        if (fstatat(dirfd, segment, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            int64_t mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;

            e.size += (uint64_t)st.st_size + 1;
            if (mtime_ns > e.mtime_ns)
                e.mtime_ns = mtime_ns;
        }
    }
    return e;
}

static void check_rest(struct settle *s, uint64_t rest_ms, const struct extent *now, uint64_t now_ms,
                       struct settle_result *ret)
{
    uint64_t needed_ms = s->closed ? rest_ms : rest_ms * UNCLOSED_FACTOR;
    int64_t age_ns = clock_wall_ns() - now->mtime_ns;

    /* By its mtime unchanged for long: complete at the first poll. After a clock jump (age < 0) that proves nothing. */
    if (age_ns > (int64_t)needed_ms * 1000000 * UNCLOSED_FACTOR) {
        ret->state = SETTLE_COMPLETE;
        return;
    }
    if (s->since_ms == 0 || now->size != s->size || now->mtime_ns != s->mtime_ns) {
        s->size = now->size;
        s->mtime_ns = now->mtime_ns;
        s->since_ms = now_ms ? now_ms : 1;
    }
    if (now_ms - s->since_ms >= needed_ms) {
        ret->state = SETTLE_COMPLETE;
        return;
    }
    ret->state = SETTLE_RESTING;
    ret->wait_ms = needed_ms - (now_ms - s->since_ms);
}

/* A missing file, a link or a socket is no evidence. Other errors (descriptors, memory, disk) may pass. */
static void poll_failed(int error, struct settle_result *ret)
{
    if (!fault_is_transient(error))
        return;
    ret->state = SETTLE_ERROR;
    ret->error = error;
}

/* Owner and mode can be read without the right to open it. */
static void poll_unreadable(int dirfd, const char *name, const char *machine, struct settle_result *ret)
{
    CLEANUP_FD int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 && identity_get(fd, machine, &ret->identity) == 0 && S_ISREG(ret->identity.mode))
        ret->state = SETTLE_UNREADABLE;
}

struct settle_result settle_poll(struct settle *s, const struct settle_config *c, int dirfd, const char *name,
                                 uint64_t now_ms)
{
    struct settle_result result = {.state = SETTLE_NO_EVIDENCE, .fd = -1};
    CLEANUP_FD int fd = -1;
    struct extent now;
    struct stat st;
    int r;

    assert(dirfd >= 0 && c->machine);
    /* Opening a FIFO would let its writer go on without a reader, and opening a device may do anything. */
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
        return result;
    fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && (errno == EACCES || errno == EPERM)) {
        poll_unreadable(dirfd, name, c->machine, &result);
        return result;
    }
    r = fd < 0 ? -errno : identity_get(fd, c->machine, &result.identity);
    if (r < 0)
        poll_failed(r, &result);
    if (r < 0 || !S_ISREG(result.identity.mode))
        return result;
    switch (c->network ? LEASE_UNKNOWN : lease_probe(fd)) {
    case LEASE_NO_WRITER:
        result.state = SETTLE_COMPLETE;
        break;
    case LEASE_WRITER:
        result.state = SETTLE_WRITTEN;
        break;
    case LEASE_UNKNOWN:
        now = extent_of(dirfd, name, &result.identity);
        check_rest(s, c->rest_ms, &now, now_ms, &result);
        break;
    }
    if (result.state == SETTLE_COMPLETE || result.state == SETTLE_WRITTEN)
        result.fd = TAKE_FD(fd);
    return result;
}
