/* SPDX-License-Identifier: Apache-2.0
 *
 * State folders of the watched folders: opened, read after a restart, and closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "ship/claim.h"
#include "ship/spool.h"
#include "ship/tenant.h"
#include "watch/room.h"
#include "watch/watcher_internal.h"

/* Who uses a spool. */
struct spool_use {
    struct spool *spool;
    bool by_root, forget;
};

static struct spool *add_spool(struct watcher *w, struct spool *s)
{
    if (array_reserve(&w->spools, w->spool_count + 1, &w->spool_capacity, sizeof(struct spool *), SIZE_MAX) < 0) {
        spool_close(s);
        return NULL;
    }
    return w->spools[w->spool_count++] = s;
}

static void on_left_claim(void *ctx, struct claim *c)
{
    struct watcher *w = ctx;
    CLEANUP_FD int fd = -1;

    /* Evidence in place may still be growing: the scan finds it, with the same id. */
    if (c->in_place) {
        if (access(c->path, F_OK) < 0)
            spool_drop(c->spool, c);
        claim_free(c);
        return;
    }
    if (watcher_set_owner(w, w->left_root, c) < 0) {
        claim_free(c);
        return;
    }
    fd = w->left_root->in_pod ? spool_evidence(c->spool, c) : -1;
    watcher_add_to_pool(w, c, fd);
}

/* The folder's state folder, or the one that was given for all. */
void watcher_open_state(struct watcher *w, struct folder *f, const char *name)
{
    const char *given = f->root->in_pod ? NULL : w->config->state;
    struct spool *s = NULL;
    struct err e = {0};
    int fd = given ? AT_FDCWD : source_open(f), r;

    r = spool_open(fd, given ? given : name, true, &s, &e);
    f->spool_later = r < 0 && r != -FAULT_LOCKED && fault_is_transient(r);
    if (r == -FAULT_LOCKED && !f->root->in_pod) {
        w->locked = e; /* two watches would claim the same files */
    } else if (r < 0) {
        log_event(EVENT_READ_ONLY_FOLDER, LOG_STR("dir", f->path), LOG_STR("error", e.msg));
    } else if ((f->spool = add_spool(w, s))) {
        if (given)
            w->given = s;
        w->left_root = f->root;
        spool_each(f->spool, on_left_claim, w);
    }
    if (fd >= 0)
        close(fd);
}

static void log_room(const struct watcher *w, const struct folder *f)
{
    struct volume v;
    struct room room;

    if (!f->spool || volume_get(spool_fd(f->spool), &v) < 0)
        return;
    room = room_get(&w->config->retention, spool_fd(f->spool), &v, 0);
    if (room.by != ROOM_UNLIMITED)
        log_event(EVENT_ROOM, LOG_STR("dir", f->path), LOG_UINT("room", room.bytes),
                  LOG_STR("limit", room_by_name(room.by)), LOG_UINT("of", room.of));
}

void watcher_open_root_state(void *ctx, struct folder *f)
{
    struct watcher *w = ctx;

    if (w->given && !f->in_pod) {
        f->spool = w->given;
        return;
    }
    watcher_open_state(w, f, STATE_NAME);
    if (!f->in_pod)
        log_room(w, f);
}

/* The spool for a file's claim: the root's, or one beside the file if that is on another file system. */
struct spool *watcher_spool_for(struct watcher *w, struct folder *f, const struct identity *file)
{
    struct spool *s;
    struct stat st;

    if (!f->root->spool && f->root->spool_later)
        watcher_open_root_state(w, f->root);
    s = f->root->spool;
    if (!s || (fstat(spool_fd(s), &st) == 0 && st.st_dev == file->dev) || (w->config->state && !f->root->in_pod))
        return s;
    if (!f->spool)
        watcher_open_state(w, f, STATE_NAME);
    return f->spool ? f->spool : s;
}

/* Closes spools of volumes below a root when they have no claims left: an open folder keeps a mount busy. */
static void find_spool_user(void *ctx, struct folder *f)
{
    struct spool_use *use = ctx;

    if (f->spool != use->spool)
        return;
    use->by_root |= f->root == f && !f->in_pod;
    if (use->forget) {
        f->spool = NULL;
        f->spool_later = f->in_pod != NULL;
    }
}

void watcher_release_spools(struct watcher *w)
{
    for (size_t i = 0; i < w->spool_count;) {
        struct spool_use use = {.spool = w->spools[i]};

        source_each(w->source, find_spool_user, &use);
        if (use.by_root || use.spool == w->given || pool_uses(w->pool, use.spool)) {
            i++;
            continue;
        }
        use.forget = true;
        source_each(w->source, find_spool_user, &use);
        spool_close(use.spool);
        w->spools[i] = w->spools[--w->spool_count];
    }
}
