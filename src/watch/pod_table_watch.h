/* SPDX-License-Identifier: Apache-2.0
 *
 * When the node's table of pods was replaced: by inotify on its folder, as it is replaced by a rename.
 */
#pragma once

#include <uv.h>

struct pod_table_watch {
    int fd; /* of inotify; -1: it can't say, and somebody has to look from time to time */
    uv_poll_t poll;
    const char *table; /* borrowed, like ctx */
    void (*replaced)(void *ctx);
    void *ctx;
};

/* Fields table, replaced and ctx are set by the caller, who keeps the struct until the loop has ended. */
void pod_table_watch_start(struct pod_table_watch *w, uv_loop_t *loop);
void pod_table_watch_close(struct pod_table_watch *w);
void pod_table_watch_done(struct pod_table_watch *w); /* after the loop's end */
