/* SPDX-License-Identifier: Apache-2.0
 *
 * Scans: at the start, by the clock on network file systems, after lost events, and when mounts have come or gone.
 */
#include "base/clock.h"
#include "watch/watcher_internal.h"

enum {
    ROOT_RETRY_MS = 1000, /* between tries to find a root that is gone */
    RESCAN_MIN_MS = 2000, /* between scans for lost events */
    NETWORK_SCAN_MIN_MS = 10 * 1000
};

static void on_rescan_timer(uv_timer_t *timer);
static void on_check_timer(uv_timer_t *timer);

static uint64_t network_period_ms(const struct watcher *w)
{
    return source_has_network(w->source) ? w->config->settle_ms * 2 + NETWORK_SCAN_MIN_MS : 0;
}

/* When a folder could not be read another scan is due soon; --once gives up after a few. */
void watcher_scan(struct watcher *w)
{
    w->rescan = false;
    source_scan(w->source);
    if (!w->rescan) {
        w->failed_scans = 0;
    } else if (++w->failed_scans >= WATCHER_ONCE_TRIES_MAX && w->config->once) {
        w->rescan = false;
        w->unexamined++;
    }
}

static void on_scan_timer(uv_timer_t *timer)
{
    struct watcher *w = timer->data;

    watcher_scan(w);
    watcher_proceed(w);
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
    w->events_lost = false;
    watcher_scan(w);
    w->rescanned_ms = clock_mono_ms();
}

static void on_rescan_timer(uv_timer_t *timer)
{
    struct watcher *w = timer->data;

    watcher_scan_for_lost_events(w);
    watcher_proceed(w);
}

/* Mounts came or went, or a root is gone: the folders are compared with what lies under their paths. */
void watcher_check_folders_later(struct watcher *w, uint64_t delay_ms)
{
    if (!w->stopped && !uv_is_active((uv_handle_t *)&w->check_timer))
        uv_timer_start(&w->check_timer, on_check_timer, delay_ms, 0);
}

void watcher_after_source(struct watcher *w)
{
    if (source_misses(w->source))
        watcher_check_folders_later(w, ROOT_RETRY_MS);
    if (w->stopped)
        return;
    watcher_release_spools(w);
    if (source_has_network(w->source) && !w->stopping && !uv_is_active((uv_handle_t *)&w->scan_timer))
        watcher_scan_later(w, network_period_ms(w));
}

static void on_check_timer(uv_timer_t *timer)
{
    struct watcher *w = timer->data;

    source_check(w->source);
    watcher_after_source(w);
    watcher_proceed(w);
}
