/* SPDX-License-Identifier: Apache-2.0
 *
 * Roots in pods: their claims of an earlier run, their first scan, and their last.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "ship/spool.h"
#include "watch/pod_folder.h"
#include "watch/watcher_internal.h"

/* No state folder is made, and no descriptor of one stays open, before the first claim. */
static void on_added(void *ctx, struct folder *root)
{
    struct watcher *w = ctx;
    CLEANUP_FD int fd = root->in_pod->below ? -1 : source_open(root);

    root->spool_later = fd < 0 || faccessat(fd, STATE_NAME, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
    if (!root->spool_later)
        watcher_open_root_state(w, root);
    if (w->stopping)
        return;
    source_scan_root(w->source, root);
    watcher_after_source(w);
    watcher_proceed(w);
}

/* Its files are all closed: what inotify has not reported yet is found, too. */
static void on_last_scan(void *ctx, struct folder *root)
{
    struct watcher *w = ctx;

    source_read(w->source);
    if (!w->stopping)
        source_scan_root(w->source, root);
    watcher_proceed(w);
}

static void on_removed(void *ctx)
{
    watcher_after_source(ctx);
}

void watcher_on_pod_changed(void *ctx, struct folder *f)
{
    struct watcher *w = ctx;

    if (w->pods)
        pod_roots_changed(w->pods, f);
}

void watcher_on_pod_limited(void *ctx, const struct folder *f)
{
    (void)ctx;
    log_event(EVENT_POD_FOLDER_LIMIT, LOG_STR("dir", f->path), LOG_UINT("folders", SOURCE_POD_FOLDERS_MAX),
              LOG_UINT("levels", SOURCE_POD_DEPTH_MAX));
}

int watcher_start_pods(struct watcher *w)
{
    const struct pod_roots_events events = {w, on_added, on_last_scan, on_removed};

    if (!w->config->pods)
        return 0;
    return pod_roots_new(&w->loop, w->config->pods, &events, w->source, &w->pods);
}
