/* SPDX-License-Identifier: Apache-2.0
 *
 * Starts and stops a watch: its loop, timers and signals.
 */
#include "watch/watcher.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "linux/sandbox.h"
#include "linux/start_pages.h"
#include "ship/spool.h"
#include "watch/loop_watchdog.h"
#include "watch/watcher_internal.h"

enum {
    LEFT_NAMED_MAX = 100, /* at most so many files that are left at the end are logged by name */
    CLAIMS_LOW = 256,     /* files that were left in place for lack of room are scanned for when so few claims remain */
    MOUNTS_DELAY_MS = 300 /* many mounts come at once */
};

static void on_claim_ended(void *ctx, const struct claim *c, enum pool_outcome outcome)
{
    struct watcher *w = ctx;

    if (!w->stopped)
        watcher_release_spools(w);
    if (outcome == POOL_DROPPED) {
        idset_remove(&w->done, c->id);
        w->backlog = true; /* the file may still be there, changed */
    }
    if (w->backlog && !w->stopping && pool_count(w->pool) <= CLAIMS_LOW) {
        w->backlog = false;
        w->rescan = true; /* the remaining claims may be finished before it fires */
        watcher_scan_later(w, WATCHER_BACKLOG_SCAN_MS);
    }
    watcher_check_stop(w);
}

/* Also closes handles whose start failed; the loop ends when the last one is closed. */
static void close_handles(struct watcher *w)
{
    uv_handle_t *const handles[] = {
        (uv_handle_t *)&w->notify,      (uv_handle_t *)&w->mounts,       (uv_handle_t *)&w->poll_timer,
        (uv_handle_t *)&w->scan_timer,  (uv_handle_t *)&w->rescan_timer, (uv_handle_t *)&w->check_timer,
        (uv_handle_t *)&w->grace_timer, (uv_handle_t *)&w->probe_timer,  (uv_handle_t *)&w->term,
        (uv_handle_t *)&w->interrupt,   (uv_handle_t *)&w->table,        (uv_handle_t *)&w->selection_timer,
    };

    pool_close(w->pool);
    pod_roots_close(w->pods);
    child_supervisor_close(&w->armer);
    child_supervisor_close(&w->storecheck);
    child_supervisor_close(&w->notifier);
    for (size_t i = 0; i < ARRAY_SIZE(handles); i++)
        if (handles[i]->type != UV_UNKNOWN_HANDLE)
            uv_close(handles[i], NULL);
}

struct left {
    unsigned count, named;
};

/* A candidate that is followed is counted as a claim. */
static void log_left_candidate(void *ctx, const struct candidate *c)
{
    struct left *left = ctx;
    char path[PATH_MAX];

    if (c->following)
        return;
    left->count++;
    if (left->named >= LEFT_NAMED_MAX)
        return;
    left->named++;
    snprintf(path, sizeof(path), "%s/%s", c->folder->path, c->name);
    log_event(EVENT_NOT_SHIPPED, LOG_STR("path", path), LOG_STR("fault", "not-whole"));
}

/* Logs the files that are left when the watch ends: they are lost if their volume is removed with the pod. */
static void log_left(struct watcher *w)
{
    struct left left = {.count = pool_count(w->pool) + w->left_hung};

    left.named = pool_log_left(w->pool, LEFT_NAMED_MAX) + w->left_hung;
    candidates_each_settling(&w->candidates, log_left_candidate, &left);
    if (left.count > left.named || w->backlog)
        log_event(EVENT_NOT_SHIPPED, LOG_UINT("more", left.count - left.named),
                  LOG_STR("fault", w->backlog ? "more files than can be claimed at once" : NULL));
    w->left = left.count;
}

void watcher_stop(struct watcher *w)
{
    if (w->stopped)
        return;
    w->stopped = true;
    log_left(w);
    log_event(EVENT_STOPPED, LOG_UINT("left", w->left), LOG_UINT("failed", pool_failed(w->pool)));
    close_handles(w);
}

static void on_grace_end(uv_timer_t *timer)
{
    watcher_stop(timer->data);
}

/* Whether waiting helps: there are claims, or files that are about to become claims. */
static bool something_to_wait_for(struct watcher *w)
{
    uint64_t within = w->config->once ? UINT64_MAX / 2 : uv_timer_get_due_in(&w->grace_timer);

    return (pool_count(w->pool) > 0 && pool_hopeful(w->pool, within)) || candidates_settling(&w->candidates) ||
           w->events_lost || (w->config->once && (w->backlog || w->rescan));
}

void watcher_check_stop(struct watcher *w)
{
    if (!w->stopped && (w->stopping || w->config->once) && !something_to_wait_for(w))
        watcher_stop(w);
}

void watcher_proceed(struct watcher *w)
{
    watcher_arm_poll_timer(w);
    watcher_check_stop(w);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct watcher *w = signal->data;

    (void)number;
    loop_watchdog_seen(w->dog);
    if (w->stopping || (w->due & WATCHER_DUE_STOP)) {
        watcher_stop(w);
        return;
    }
    /* A recent close may still be in inotify's queue; the scan finds what inotify does not report. */
    source_read(w->source);
    watcher_do_soon(w, WATCHER_DUE_STOP);
}

static void give_up_hung(void *ctx, struct folder *f)
{
    struct watcher *w = ctx;
    CLEANUP_FREE struct candidate **list = NULL;
    size_t count = f->hung ? candidates_of(&w->candidates, f, &list) : 0;

    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/%s", f->path, list[i]->name);
        log_event(EVENT_NOT_SHIPPED, LOG_STR("path", path), LOG_STR("fault", "hung"));
        w->left_hung++;
        watcher_drop_candidate(w, list[i]);
    }
}

void watcher_begin_stop(struct watcher *w)
{
    watcher_scan(w);
    source_each(w->source, give_up_hung, w);
    w->stopping = true;
    log_event(EVENT_STOPPING, LOG_UINT("left", pool_count(w->pool)), LOG_UINT("grace_s", w->config->grace_ms / 1000));
    uv_timer_stop(&w->scan_timer);
    uv_update_time(&w->loop);
    uv_timer_start(&w->grace_timer, on_grace_end, w->config->grace_ms, 0);
}

static void on_notify(uv_poll_t *poll, int status, int events)
{
    struct watcher *w = poll->data;

    (void)status;
    (void)events;
    source_read(w->source);
    watcher_scan_for_lost_events(w);
    watcher_after_source(w);
    watcher_proceed(w);
}

static void on_mounts(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    watcher_check_folders_later(poll->data, MOUNTS_DELAY_MS);
}

/* POLLPRI of /proc/self/mountinfo: the mounts have changed (proc(5)). Without it, mounts that come later are missed. */
static void start_mounts(struct watcher *w)
{
    w->mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (w->mounts_fd < 0 || uv_poll_init(&w->loop, &w->mounts, w->mounts_fd) < 0)
        return;
    w->mounts.data = w;
    uv_poll_start(&w->mounts, UV_PRIORITIZED, on_mounts);
}

static int start_signal(struct watcher *w, uv_signal_t *signal, int number)
{
    int r = uv_signal_init(&w->loop, signal);

    signal->data = w;
    return r < 0 ? r : uv_signal_start(signal, on_signal, number);
}

static void on_facts(void *pool, const char *text)
{
    pool_set_facts(pool, text);
}

static int start_handles(struct watcher *w)
{
    uv_timer_t *const timers[] = {&w->poll_timer,  &w->scan_timer,  &w->rescan_timer,   &w->check_timer,
                                  &w->grace_timer, &w->probe_timer, &w->selection_timer};
    int r;

    for (size_t i = 0; i < ARRAY_SIZE(timers); i++) {
        uv_timer_init(&w->loop, timers[i]);
        timers[i]->data = w;
    }
    if ((r = uv_poll_init(&w->loop, &w->notify, source_fd(w->source))) < 0)
        return r;
    w->notify.data = w;
    if ((r = uv_poll_start(&w->notify, UV_READABLE, on_notify)) < 0 || (r = start_signal(w, &w->term, SIGTERM)) < 0 ||
        (r = start_signal(w, &w->interrupt, SIGINT)) < 0)
        return r;
    start_mounts(w);
    watcher_start_selection(w);
    watcher_after_source(w);
    return 0;
}

/* Cleans up a watch that does not start: closes its handles by running the loop. */
static void abandon_start(struct watcher *w)
{
    close_handles(w);
    uv_run(&w->loop, UV_RUN_DEFAULT);
}

int watcher_start(struct watcher *w, struct err *e)
{
    const struct source_events events = watcher_source_events(w);
    const struct pool_events ended = {w, watcher_on_stored, on_claim_ended};
    const struct pool_config pool = {.worker_args = w->config->worker_args,
                                     .plan = w->config->plan,
                                     .machine = w->config->who->machine,
                                     .retention = w->config->retention,
                                     .spawn = w->config->spawn,
                                     .stuck_ms = w->config->stuck_ms,
                                     .once = w->config->once};
    int r = source_new(&w->config->source, &events, &w->source, e);

    assert(!w->pool && w->config->plan->store);
    if (r < 0)
        return r;
    if (pool_new(&w->loop, &pool, &ended, &w->pool) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = start_handles(w)) < 0) {
        abandon_start(w);
        return err_set(e, r, "cannot watch: %s", strerror(-r));
    }
    source_each_root(w->source, watcher_open_root_state, w);
    if (w->locked.msg[0]) {
        abandon_start(w);
        return err_set(e, -FAULT_LOCKED, "%s", w->locked.msg);
    }
    if ((w->config->plan->inspect || w->config->plan->digest) && !sandbox_has_seccomp())
        log_event(EVENT_NO_SECCOMP);
    log_event(EVENT_STARTED, LOG_UINT("dirs", w->config->source.dir_count), LOG_STR("to", w->config->plan->store));
    if ((r = watcher_start_pods(w)) < 0) {
        abandon_start(w);
        return err_set(e, r, "cannot watch pods: %s", strerror(-r));
    }
    watcher_scan(w);
    if (w->pods)
        pod_roots_start(w->pods);
    watcher_check_folders_later(w, MOUNTS_DELAY_MS); /* a mount may have changed during the first scan */
    watcher_arm_poll_timer(w);
    /* After the scan: starting a process takes time, in which a dump that begins would not be followed. */
    if (w->config->armer_args)
        child_supervisor_start(&w->armer, &CHILD_SUPERVISOR_ARMER, &w->loop, w->config->armer_args);
    watcher_start_notifier(w);
    if (w->config->check_args) {
        child_supervisor_start(&w->storecheck, &CHILD_SUPERVISOR_STORECHECK, &w->loop, w->config->check_args);
        w->storecheck.facts = on_facts;
        w->storecheck.ctx = w->pool;
    }
    watcher_check_stop(w);
    start_pages_drop();
    return 0;
}

void watcher_done(struct watcher *w)
{
    if (w->mounts_fd >= 0)
        close(w->mounts_fd);
    candidates_done(&w->candidates);
    pod_roots_free(w->pods);
    pool_free(w->pool);
    source_free(w->source);
    for (size_t i = 0; i < w->spool_count; i++)
        spool_close(w->spools[i]);
    free(w->spools);
    idset_done(&w->done);
    sniffer_done(&w->sniffer);
}

int watcher_run(const struct watcher_config *config, struct err *e)
{
    struct watcher w = {.config = config, .mounts_fd = -1};
    int r = uv_loop_init(&w.loop);

    if (r < 0)
        return err_set(e, r, "cannot start the loop: %s", strerror(-r));
    r = watcher_start(&w, e);
    if (r == 0) {
        uv_run(&w.loop, UV_RUN_DEFAULT);
        if (w.left > 0)
            r = config->once ? err_set(e, -FAULT_SOME, "%u left to ship", w.left)
                             : err_set(e, -FAULT_LATER, "%u left: the next run goes on with them", w.left);
        else if (pool_failed(w.pool) > 0 || (config->once && w.unreadable + w.unexamined > 0))
            r = err_set(e, -FAULT_SOME, "%u could not be shipped", pool_failed(w.pool) + w.unreadable + w.unexamined);
    }
    watcher_done(&w);
    uv_loop_close(&w.loop);
    return r;
}
