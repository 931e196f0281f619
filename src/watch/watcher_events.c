/* SPDX-License-Identifier: Apache-2.0
 *
 * Events of the source: names become candidates, folders come and go.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "ship/claim.h"
#include "ship/spool.h"
#include "watch/loop_watchdog.h"
#include "watch/watcher_internal.h"

enum { BY_CONTENT_MAX = 1024 /* of a folder, whose name is not one of evidence; beyond that, it is scanned again */ };

static bool is_known(const struct watcher *w, const struct folder *f, const char *name)
{
    CLEANUP_FD int dirfd = w->sniffer.known.count > 0 ? source_open(f) : -1;
    struct stat st;

    return dirfd >= 0 && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           sniffer_knows(&w->sniffer, st.st_dev, st.st_ino,
                         (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
}

/* NULL if the file is known not to be evidence, or has to wait for the next scan. */
static struct candidate *add_by_content(struct watcher *w, struct folder *f, const char *name, enum sighting what)
{
    struct candidate *c;

    if (what == SIGHT_SCANNED && (w->stopping || is_known(w, f, name)))
        return NULL;
    if (f->by_content >= BY_CONTENT_MAX && !w->config->once) {
        w->by_content_scan_due = true;
        return NULL;
    }
    if (!(c = candidate_add(&w->candidates, f, name)))
        return NULL;
    c->by_content = true;
    f->by_content++;
    w->by_content++;
    return c;
}

/* Due times of files that a scan has found: spread, as watch/sniffer.h limits how many may be read. */
static uint64_t next_scanned(struct folder *f)
{
    uint64_t now = clock_mono_ms();

    f->by_content_due_ms = (f->by_content_due_ms > now ? f->by_content_due_ms : now) + 1000 / SNIFFER_RATE;
    return f->by_content_due_ms;
}

static void on_file_by_content(struct watcher *w, struct folder *f, struct candidate *c, enum sighting what)
{
    c->fresh |= what != SIGHT_SCANNED;
    if (what == SIGHT_CLOSED)
        c->settle = (struct settle){.closed = true};
    if (what == SIGHT_CREATED && !w->stopping)
        candidate_schedule(&w->candidates, c, clock_mono_ms() + WATCHER_FOLLOW_DELAY_MS);
    else if (what == SIGHT_SCANNED && !w->config->once)
        candidate_schedule(&w->candidates, c, next_scanned(f));
    else
        watcher_poll_candidate(w, c);
}

static void on_file(void *ctx, struct folder *f, const char *name, enum sighting what)
{
    struct watcher *w = ctx;
    struct candidate *c = candidate_find(&w->candidates, f, name);

    if (what == SIGHT_REMOVED) {
        if (c)
            watcher_drop_candidate(w, c);
        return;
    }
    if (source_interest(w->source, f, name) == INTEREST_BY_CONTENT) {
        if (c || (c = add_by_content(w, f, name, what)))
            on_file_by_content(w, f, c, what);
        return;
    }
    if (!c && (w->stopping || !(c = candidate_add(&w->candidates, f, name))))
        return;
    if (what == SIGHT_CREATED) {
        c->polls_open = 0;
        c->may_follow = kind_of_name(name)->follow && !f->network && w->config->follow;
        /* Also for files that appear without a close event: hard links. */
        candidate_schedule(&w->candidates, c, clock_mono_ms() + WATCHER_FOLLOW_DELAY_MS);
        return;
    }
    if (what == SIGHT_CLOSED)
        c->settle = (struct settle){.closed = true};
    watcher_poll_candidate(w, c);
}

static void on_state_folder(void *ctx, struct folder *f, const char *name)
{
    struct watcher *w = ctx;

    /* A root's state folder is open already; one below was made where another file system begins. */
    if (f != f->root && !f->spool && (!w->config->state || f->root->in_pod) && !w->stopping)
        watcher_open_state(w, f, name);
}

static void on_state_gone(void *ctx, struct folder *f)
{
    const struct watcher *w = ctx;

    if (w->config->state && !f->root->in_pod)
        return;
    f->spool = NULL; /* closed when it has no claims left, and opened again for the next one */
    f->spool_later = true;
}

static void log_hung(void)
{
    log_event(EVENT_NOT_SHIPPED, LOG_STR("fault", "a file system does not answer"));
}

static void on_network(void *ctx, const struct folder *f, const char *filesystem)
{
    struct watcher *w = ctx;

    /* Network file systems only: a local disk that hangs stops the whole machine. */
    if (!w->dog)
        w->dog =
            loop_watchdog_start(LOOP_WATCHDOG_MS, w->config->grace_ms, log_hung, fault_find(-FAULT_LATER)->exit_code);
    log_event(EVENT_NETWORK_FOLDER, LOG_STR("dir", f->path), LOG_STR("filesystem", filesystem));
}

static void on_overflow(void *ctx)
{
    struct watcher *w = ctx;

    /* Logged once: a process that makes files all the time overflows the queue all the time. */
    if (!w->events_lost)
        log_event(EVENT_OVERFLOW);
    w->events_lost = true;
}

static void on_watch_limit(void *ctx, const char *path, int error)
{
    (void)ctx;
    log_event(EVENT_WATCH_LIMIT, LOG_STR("dir", path), LOG_STR("error", strerror(error)));
}

static void on_folder_gone(void *ctx, const struct folder *f)
{
    struct watcher *w = ctx;
    CLEANUP_FREE struct candidate **list = NULL;
    size_t count = candidates_of(&w->candidates, f, &list);

    if (f == f->root && !f->in_pod)
        log_event(EVENT_FOLDER_GONE, LOG_STR("dir", f->path));
    for (size_t i = 0; i < count; i++)
        watcher_drop_candidate(w, list[i]);
}

static void on_read_error(void *ctx, const struct folder *f, int error)
{
    struct watcher *w = ctx;

    if (!w->rescan && w->failed_scans == 0)
        log_event(EVENT_NOT_EXAMINED, LOG_STR("dir", f->path), LOG_STR("fault", fault_find(error)->name),
                  LOG_STR("error", strerror(-error)), LOG_UINT("retry_in_s", WATCHER_ERROR_RETRY_MS / 1000));
    w->rescan = true;
    if (!w->stopping)
        watcher_scan_later(w, WATCHER_ERROR_RETRY_MS);
}

static bool has_state(const struct folder *f)
{
    CLEANUP_FD int fd = source_open(f);

    return fd >= 0 && faccessat(fd, STATE_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* It may be a mount point whose volume is missing for a while. FUSE (fusermount) mounts on empty folders only: so a
 * missing state folder is not made before the first claim. */
static void on_root_back(void *ctx, struct folder *f)
{
    struct watcher *w = ctx;

    log_event(EVENT_FOLDER_BACK, LOG_STR("dir", f->path));
    f->spool = NULL;
    f->spool_later = !w->config->state && !has_state(f);
    if (!f->spool_later)
        watcher_open_root_state(w, f);
}

struct source_events watcher_source_events(struct watcher *w)
{
    return (struct source_events){.ctx = w,
                                  .file = on_file,
                                  .state = on_state_folder,
                                  .state_gone = on_state_gone,
                                  .network = on_network,
                                  .overflow = on_overflow,
                                  .watch_limit = on_watch_limit,
                                  .gone = on_folder_gone,
                                  .back = on_root_back,
                                  .trouble = on_read_error,
                                  .pod_changed = watcher_on_pod_changed,
                                  .pod_limited = watcher_on_pod_limited};
}
