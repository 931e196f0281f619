/* SPDX-License-Identifier: Apache-2.0
 *
 * Scans again when the table of pods says of some pod what was not known before, or another thing.
 */
#include "place/pod_selection.h"
#include "watch/watcher_internal.h"

enum { WAIT_MS = 1000 }; /* between questions for pods that are not in the table */

static void scan(struct watcher *w)
{
    if (!w->stopping && !w->stopped)
        watcher_do_soon(w, WATCHER_DUE_SCAN);
}

static void on_timer(uv_timer_t *timer)
{
    scan(timer->data);
}

static void on_table(uv_poll_t *poll, int status, int events)
{
    struct watcher *w = poll->data;
    struct pod_selection *s = w->config->source.selection;

    (void)status, (void)events;
    if (pod_selection_refresh(s) || pod_selection_due_ms(s) != UINT64_MAX)
        scan(w);
}

/* Without inotify a scan that is made for another reason, and the timer, find changes. */
void watcher_start_selection(struct watcher *w)
{
    struct pod_selection *s = w->config->source.selection;
    int fd = s ? pod_selection_fd(s) : -1;

    if (fd < 0 || uv_poll_init(&w->loop, &w->table, fd) < 0)
        return;
    w->table.data = w;
    uv_poll_start(&w->table, UV_READABLE, on_table);
}

void watcher_wait_for_selection(struct watcher *w)
{
    struct pod_selection *s = w->config->source.selection;

    if (!s || w->stopping || w->stopped || pod_selection_due_ms(s) == UINT64_MAX ||
        uv_is_active((uv_handle_t *)&w->selection_timer))
        return;
    uv_update_time(&w->loop);
    uv_timer_start(&w->selection_timer, on_timer, WAIT_MS, 0);
}
