/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder is watched, because a watch of the file would stay with the one before.
 */
#include "watch/pod_table_watch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "linux/inotify.h"

static void on_name(void *ctx, int watch, enum inotify_what what, const char *name)
{
    struct pod_table_watch *w = ctx;

    (void)watch;
    if (what == INOTIFY_OVERFLOW || (what == INOTIFY_CLOSED && text_eq(name, text_base_name(w->table))))
        w->replaced(w->ctx);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct pod_table_watch *w = poll->data;

    (void)status;
    (void)events;
    inotify_read(w->fd, on_name, w);
}

void pod_table_watch_start(struct pod_table_watch *w, uv_loop_t *loop)
{
    CLEANUP_FREE char *folder = strdup(w->table);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    int r;

    if (slash)
        *slash = '\0';
    w->fd = inotify_open();
    r = w->fd < 0 ? w->fd : inotify_watch_add(w->fd, !slash ? "." : *folder ? folder : "/");
    if (r >= 0 && uv_poll_init(loop, &w->poll, w->fd) == 0) {
        w->poll.data = w;
        uv_poll_start(&w->poll, UV_READABLE, on_readable);
        return;
    }
    if (w->fd >= 0)
        close(TAKE_FD(w->fd));
}

void pod_table_watch_close(struct pod_table_watch *w)
{
    if (w->poll.type != UV_UNKNOWN_HANDLE)
        uv_close((uv_handle_t *)&w->poll, NULL);
}

void pod_table_watch_done(struct pod_table_watch *w)
{
    if (w->fd >= 0)
        close(TAKE_FD(w->fd));
}
