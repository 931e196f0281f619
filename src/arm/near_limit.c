/* SPDX-License-Identifier: Apache-2.0
 *
 * Two questions, two files. The first line of each says why it was taken, and that it is evidence (CONTENT_TAKEN).
 */
#include "arm/near_limit.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "hotspot/diagnostics.h"
#include "linux/open_beneath.h"
#include "ship/content.h"
#include "ship/heapdump_capture.h"

enum { TENTH = 10, TIMEOUT_MS = 5000, LINE_SIZE = 600, PIECE = 1 << 20 };

bool near_limit_is(const struct threadroom *room, uint64_t threads)
{
    /* Some limits are counted in bytes. */
    bool in_threads = room->limit - room->used == room->room;

    return room->limit != UINT64_MAX && room->room <= (in_threads ? room->limit : threads) / TENTH;
}

int near_limit_create(const char *root, const char *path, uid_t owner)
{
    assert(root && *path);
    CLEANUP_FD int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = folder < 0 ? -errno
                        : open_beneath(folder, path + (*path == '/'), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);

    /* Without the right to it the file counts as ours. */
    if (fd >= 0 && fchown(fd, owner, (gid_t)-1) < 0)
        errno = 0;
    return fd;
}

/* A file, and the diagnostic command that it has the answer of. */
struct piece {
    const char *diagnostic;
    const char *line; /* before the answer */
    const char *root, *path;
};

/* Only what is whole gets a name. */
static int take(const struct jvm *j, const struct piece *p, struct err *e)
{
    const struct jvm_request request = {
        .jvm = j, .diagnostic = p->diagnostic, .timeout_ms = TIMEOUT_MS, .until_ms = clock_mono_ms() + TIMEOUT_MS};
    CLEANUP_FD int held = memfd_create("near-limit", MFD_CLOEXEC), fd = -1;
    struct pause ignored;
    off_t at = 0;
    int r = held < 0 ? -errno : file_write(held, p->line, strlen(p->line));

    if (r < 0)
        return err_set(e, r, "no file in memory: %s", strerror(-r));
    if ((r = answer_to_file(&request, held, &ignored, e)) < 0)
        return r;
    if ((fd = near_limit_create(p->root, p->path, j->status.uid)) < 0)
        return err_set(e, fd, "%s%s: %s", p->root, p->path, strerror(-fd));
    while ((r = (int)sendfile(fd, held, &at, PIECE)) > 0)
        ;
    return r < 0 ? err_set(e, -errno, "%s%s: %s", p->root, p->path, strerror(errno)) : 0;
}

static int take_all(const struct jvmtrace *t, const struct threadroom *room, const char *root, const char *below,
                    struct err *e)
{
    static const struct {
        const char *diagnostic, *name;
    } pieces[] = {{DIAGNOSTIC_THREADS_LOCKS, "threads"}, {DIAGNOSTIC_HISTOGRAM, "histogram"}};
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    char line[LINE_SIZE], time[CLOCK_TEXT_MAX];
    int64_t now_ns = clock_wall_ns();
    int r = jvm_open("/proc", t->pid, &j, e);

    for (size_t i = 0; i < ARRAY_SIZE(pieces) && r == 0; i++) {
        CLEANUP_FREE char *path = NULL;

        if (asprintf(&path, "%s/near-limit-%d-%s-%s.txt", below, (int)t->inner_pid, clock_format_basic(now_ns, time),
                     pieces[i].name) < 0) {
            path = NULL;
            return err_set(e, -ENOMEM, "out of memory");
        }
        snprintf(line, sizeof(line), "%sJVM %d comes near its limit of threads: %" PRIu64 " of %" PRIu64 ", %s\n",
                 CONTENT_TAKEN, (int)t->inner_pid, room->used, room->limit, room->what);
        r = take(&j, &(struct piece){pieces[i].diagnostic, line, root, path}, e);
    }
    return r;
}

void near_limit_take(const struct jvmtrace *t, const struct threadroom *room, const char *root, const char *below)
{
    assert(t->pid > 0 && root && below);
    struct err e = {0};
    int r = take_all(t, room, root, below, &e);

    log_event(EVENT_NEAR_LIMIT, LOG_UINT("pid", (uint64_t)t->pid), LOG_UINT("used", room->used),
              LOG_UINT("limit", room->limit), LOG_STR("of", room->what), LOG_STR("error", r < 0 ? e.msg : NULL),
              LOG_STR("command", t->command));
}
