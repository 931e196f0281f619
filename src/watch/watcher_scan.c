/* SPDX-License-Identifier: Apache-2.0
 *
 * Scans: at the start, periodically on network file systems, after lost events, and when mounts have changed.
 */
#include "base/clock.h"
#include "watch/watcher_internal.h"

enum {
    ROOT_RETRY_MS = 1000, /* between attempts to find a missing root */
    RESCAN_MIN_MS = 2000, /* between scans after lost events */
    NETWORK_SCAN_MIN_MS = 10 * 1000,
    PROBE_POLL_MS = 10
};

static void on_rescan_timer(uv_timer_t *timer);
static void on_check_timer(uv_timer_t *timer);

static uint64_t network_period_ms(const struct watcher *w)
{
    return source_has_network(w->source) ? w->config->settle_ms * 2 + NETWORK_SCAN_MIN_MS : 0;
}

/* After a folder could not be read, another scan is due soon; --once gives up after a few. */
void watcher_scan(struct watcher *w)
{
    w->rescan = false;
    source_scan(w->source);
    watcher_wait_for_selection(w);
    if (!w->rescan) {
        w->failed_scans = 0;
    } else if (++w->failed_scans >= WATCHER_ONCE_TRIES_MAX && w->config->once) {
        w->rescan = false;
        w->unexamined++;
    }
}

static void scan_for_lost_events(struct watcher *w)
{
    w->events_lost = false;
    watcher_scan(w);
    w->rescanned_ms = clock_mono_ms();
}

static void do_what_is_due(struct watcher *w)
{
    unsigned due = w->due;

    w->due = 0;
    if (due & WATCHER_DUE_CHECK) {
        source_check(w->source);
        watcher_after_source(w);
    }
    if (due & WATCHER_DUE_LOST)
        scan_for_lost_events(w);
    else if (due & WATCHER_DUE_SCAN)
        watcher_scan(w);
    if (due & WATCHER_DUE_STOP)
        watcher_begin_stop(w);
    watcher_proceed(w);
}

static void on_probe_timer(uv_timer_t *timer)
{
    struct watcher *w = timer->data;

    if (!hang_probe_is_over(&w->probe, w->source))
        return;
    uv_timer_stop(timer);
    do_what_is_due(w);
}

void watcher_do_soon(struct watcher *w, unsigned due)
{
    w->due |= due;
    if (!source_has_network(w->source)) {
        do_what_is_due(w);
    } else if (!w->stopped && !uv_is_active((uv_handle_t *)&w->probe_timer)) {
        hang_probe_begin(&w->probe, w->source);
        uv_update_time(&w->loop);
        uv_timer_start(&w->probe_timer, on_probe_timer, 1, PROBE_POLL_MS);
    }
}

static void on_scan_timer(uv_timer_t *timer)
{
    watcher_do_soon(timer->data, WATCHER_DUE_SCAN);
}

void watcher_scan_later(struct watcher *w, uint64_t delay_ms)
{
    uv_timer_start(&w->scan_timer, on_scan_timer, delay_ms, network_period_ms(w));
}

void watcher_scan_for_lost_events(struct watcher *w)
{
    uint64_t now = clock_mono_ms(), next = w->rescanned_ms ? w->rescanned_ms + RESCAN_MIN_MS : 0;

    if (!w->events_lost || w->stopped)
        return;
    if (now < next) {
        uv_timer_start(&w->rescan_timer, on_rescan_timer, next - now, 0);
        return;
    }
    if (source_has_network(w->source))
        watcher_do_soon(w, WATCHER_DUE_LOST);
    else
        scan_for_lost_events(w);
}

static void on_rescan_timer(uv_timer_t *timer)
{
    struct watcher *w = timer->data;

    watcher_scan_for_lost_events(w);
    watcher_proceed(w);
}

/* After mounts have changed or a root is missing: compares the folders with what is under their paths. */
void watcher_check_folders_later(struct watcher *w, uint64_t delay_ms)
{
    if (!w->stopped && !uv_is_active((uv_handle_t *)&w->check_timer))
        uv_timer_start(&w->check_timer, on_check_timer, delay_ms, 0);
}

void watcher_after_source(struct watcher *w)
{
    if (source_has_missing_root(w->source))
        watcher_check_folders_later(w, ROOT_RETRY_MS);
    if (w->stopped)
        return;
    watcher_release_spools(w);
    watcher_wait_for_selection(w);
    if (source_has_network(w->source) && !w->stopping && !uv_is_active((uv_handle_t *)&w->scan_timer))
        watcher_scan_later(w, network_period_ms(w));
}

static void on_check_timer(uv_timer_t *timer)
{
    watcher_do_soon(timer->data, WATCHER_DUE_CHECK);
}
