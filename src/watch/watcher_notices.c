/* SPDX-License-Identifier: Apache-2.0
 *
 * Notices of what was stored: written to a folder in the claim's state folder, which a process of its own delivers
 * (`salvage notifier`): requests would block the loop. A notice is on disk before its claim is finished.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "notify/queue.h"
#include "ship/case_notice.h"
#include "ship/spool.h"
#include "watch/watcher_internal.h"

static bool wanted(const struct watcher *w)
{
    return w->config->notify && w->config->notify->count > 0;
}

/* A message that can't be sent: the process is about to be started, and then gets all folders. */
static void send_folder(struct watcher *w, int folder)
{
    struct wire message = {.type = WIRE_NOTICES, .fd = {folder, -1}};

    (void)child_send(&w->notifier.child, &message);
}

/* What an earlier run left, or a process that died. */
static void send_all(void *ctx)
{
    struct watcher *w = ctx;

    for (size_t i = 0; i < w->spool_count; i++) {
        CLEANUP_FD int folder = queue_open_existing(spool_fd(w->spools[i]));

        if (folder >= 0 && !queue_is_empty(folder, w->config->notify))
            send_folder(w, folder);
    }
}

void watcher_start_notifier(struct watcher *w)
{
    if (!wanted(w))
        return;
    child_supervisor_start(&w->notifier, &CHILD_SUPERVISOR_NOTIFIER, &w->loop, w->config->notifier_args);
    w->notifier.restarted = send_all;
    w->notifier.ctx = w;
    send_all(w);
}

void watcher_on_stored(void *ctx, const struct claim *c, const struct manifest *m)
{
    struct watcher *w = ctx;
    CLEANUP(notice_done) struct notice notice = {0};
    CLEANUP_FD int folder = -1;

    if (!wanted(w) || case_notice_of_stored(m, &w->config->plan->sink, w->config->public_url, &notice) < 0)
        return;
    folder = queue_open(spool_fd(c->spool));
    if (case_notice_queue(&notice, w->config->notify, folder) == 0)
        send_folder(w, folder);
}
