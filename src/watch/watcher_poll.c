/* SPDX-License-Identifier: Apache-2.0
 *
 * Polls candidates: each is complete, still being written to, or no evidence.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "watch/pod_folder.h"
#include "watch/watcher_internal.h"

enum {
    FOLLOW_POLL_MAX_MS = 5000, /* between polls of a file that stays open; its close causes an event */
    FOLLOW_POLL_COST_MS = 10,  /* longer if many are open: at most 100 polls a second in all */
    UNREADABLE_RETRY_MS = 60 * 1000,
    BY_CONTENT_REST_MS = 2000, /* its writer may rename it soon */
    HUNG_POLL_MS = 5000,
    TEMPORARY_REST_MS = 15 * 1000, /* with a name like a temporary file's */
    POLLS_AT_ONCE = 64
};

/* Scans again for files that were left out because there were too many candidates with names that are not of evidence.
 */
static void scan_by_content_again(struct watcher *w)
{
    w->by_content_scan_due = false;
    if (!w->stopping)
        watcher_scan_later(w, WATCHER_BACKLOG_SCAN_MS);
}

void watcher_drop_candidate(struct watcher *w, struct candidate *c)
{
    if (c->by_content) {
        c->folder->by_content--;
        if (--w->by_content == 0 && w->by_content_scan_due)
            scan_by_content_again(w);
    }
    if (c->following)
        pool_unfollow(w->pool, c->id);
    candidate_drop(&w->candidates, c);
}

static void log_unreadable(struct watcher *w, struct candidate *c, const struct identity *file)
{
    char hint[160];

    if (c->logged_unreadable)
        return;
    w->unreadable++;
    c->logged_unreadable = true;
    snprintf(hint, sizeof(hint), "mode %04o, owned by uid %u, and this is uid %u: run salvage as uid %u, or as root",
             (unsigned)(file->mode & 07777), (unsigned)file->uid, (unsigned)geteuid(), (unsigned)file->uid);
    log_event(EVENT_UNREADABLE, LOG_STR("dir", c->folder->path), LOG_STR("name", c->name), LOG_UINT("uid", file->uid),
              LOG_STR("error", hint));
}

static bool ends_as_temporary(const char *name)
{
    return text_ends(name, ".tmp") || text_ends(name, ".part") || text_ends(name, ".partial") || text_ends(name, "~");
}

/* Whether a file is claimed by its content: its first bytes are those of evidence, and it is complete. */
static bool check_content(struct watcher *w, struct candidate *c, const struct settle_result *result, uint64_t now_ms)
{
    const struct identity *file = &result->identity;
    int64_t rest_ms = ends_as_temporary(c->name) ? TEMPORARY_REST_MS : BY_CONTENT_REST_MS;
    int64_t age_ms = (clock_wall_ns() - file->ctime_ns) / 1000000;
    bool hurry = w->config->once || w->stopping;
    enum content content;
    uint64_t wait_ms;

    if (!c->content_checked) {
        if (sniffer_knows(&w->sniffer, file->dev, file->ino, file->mtime_ns)) {
            watcher_drop_candidate(w, c);
            return false;
        }
        if (!hurry && (wait_ms = sniffer_wait(&w->sniffer, file->uid, now_ms)) > 0) {
            candidate_schedule(&w->candidates, c, now_ms + wait_ms);
            return false;
        }
        content = kind_read_content(result->fd);
        if (!kind_is_evidence(content)) {
            sniffer_learn(&w->sniffer, file->dev, file->ino, file->mtime_ns);
            if (result->state == SETTLE_COMPLETE)
                ignored_add(&w->ignored, c->folder->path, c->name);
            watcher_drop_candidate(w, c); /* if it is still being written, its close will cause an event */
            return false;
        }
        c->content_checked = true;
        c->may_follow = c->fresh && kind_of(c->name, content)->follow && !c->folder->network && w->config->follow;
    }
    if (result->state == SETTLE_COMPLETE && !w->stopping && age_ms >= 0 && age_ms < rest_ms) {
        candidate_schedule(&w->candidates, c, now_ms + (uint64_t)(rest_ms - age_ms));
        return false;
    }
    return true;
}

/* Next poll of a file that is open for writing: soon at first, so that a dump is followed early. */
static uint64_t next_follow_poll(const struct watcher *w, struct candidate *c)
{
    uint64_t most = w->candidates.scheduled * FOLLOW_POLL_COST_MS, wait = WATCHER_FOLLOW_DELAY_MS;

    if (most < FOLLOW_POLL_MAX_MS)
        most = FOLLOW_POLL_MAX_MS;
    for (unsigned i = 0; i < c->polls_open && wait < most; i++)
        wait *= 2;
    c->polls_open++;
    return wait < most ? wait : most;
}

void watcher_poll_candidate(struct watcher *w, struct candidate *c)
{
    CLEANUP_FD int dirfd = c->folder->hung ? -EAGAIN : source_open(c->folder);
    const struct settle_config settle = {
        .machine = w->config->who->machine, .rest_ms = w->config->settle_ms, .network = c->folder->network};
    struct settle_result result = {.state = SETTLE_NO_EVIDENCE, .fd = -1};
    uint64_t now = clock_mono_ms();

    if (c->folder->hung) {
        candidate_schedule(&w->candidates, c, now + HUNG_POLL_MS);
        return;
    }
    if (dirfd >= 0)
        result = settle_poll(&c->settle, &settle, dirfd, c->name, now);
    else if (fault_is_transient(dirfd))
        result = (struct settle_result){.state = SETTLE_ERROR, .error = dirfd, .fd = -1};
    /* A file that is mounted there, as the kubelet mounts some, is none of the application's. */
    if (result.fd >= 0 && c->folder->root->in_pod && !pod_folder_same_mount(dirfd, result.fd)) {
        close(result.fd);
        result = (struct settle_result){.state = SETTLE_NO_EVIDENCE, .fd = -1};
    }
    if (result.state != SETTLE_ERROR && result.state != SETTLE_COMPLETE)
        c->errors = 0;
    candidate_schedule(&w->candidates, c, 0);
    switch (result.state) {
    case SETTLE_NO_EVIDENCE:
        watcher_drop_candidate(w, c);
        break;
    case SETTLE_ERROR:
        watcher_retry_candidate(w, c, result.error);
        break;
    case SETTLE_UNREADABLE:
        if (c->by_content) {
            watcher_drop_candidate(w, c);
            break;
        }
        log_unreadable(w, c, &result.identity);
        candidate_schedule(&w->candidates, c, now + UNREADABLE_RETRY_MS);
        break;
    case SETTLE_RESTING:
        candidate_schedule(&w->candidates, c, now + result.wait_ms + 1);
        break;
    case SETTLE_WRITTEN:
        if (c->by_content && !check_content(w, c, &result, now))
            break;
        watcher_follow_candidate(w, c, &result);
        if (!c->following) /* also of a file that can't be followed: inotify reports no close of a file that was linked
                              here while open */
            candidate_schedule(&w->candidates, c, now + next_follow_poll(w, c));
        break;
    case SETTLE_COMPLETE:
        if (!c->by_content || check_content(w, c, &result, now))
            watcher_claim_candidate(w, c, &result, dirfd);
        break;
    }
    if (result.fd >= 0)
        close(result.fd);
}

static void on_poll_timer(uv_timer_t *timer)
{
    struct watcher *w = timer->data;
    uint64_t next, now = clock_mono_ms();
    struct candidate *c;

    for (int i = 0; i < POLLS_AT_ONCE && (c = candidate_due(&w->candidates, now, &next)); i++)
        watcher_poll_candidate(w, c);
    watcher_proceed(w);
}

void watcher_arm_poll_timer(struct watcher *w)
{
    uint64_t next, now = clock_mono_ms();

    if (candidate_due(&w->candidates, now, &next))
        next = now;
    if (next == UINT64_MAX) {
        uv_timer_stop(&w->poll_timer);
        return;
    }
    uv_update_time(&w->loop);
    uv_timer_start(&w->poll_timer, on_poll_timer, next > now ? next - now : 1, 0);
}
