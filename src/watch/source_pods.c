/* SPDX-License-Identifier: Apache-2.0
 *
 * Roots in pods: added and removed while the watch runs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "linux/fskind.h"
#include "linux/inotify.h"
#include "watch/pod_folder.h"
#include "watch/source_internal.h"

/* A server that does not answer would stop the watch of all pods (watch/hang_probe.h knows roots with paths only). */
static bool is_network(int fd)
{
    struct fskind kind;

    return fskind_get(fd, &kind) == 0 && kind.network;
}

/* A second watch of a folder would end the first. */
static bool is_watched(const struct source *s, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return false;
    for (size_t i = 0; i < s->count; i++)
        if (s->folder[i]->dev == st.st_dev && s->folder[i]->ino == st.st_ino && !s->folder[i]->missing)
            return true;
    return false;
}

static struct folder *new_root(struct pod_folder *in, const char *path)
{
    struct folder *f = calloc(1, sizeof(*f));

    if (!f || !(f->path = strdup(path))) {
        free(f);
        return NULL;
    }
    f->root = f;
    f->watch = -1;
    f->in_pod = in;
    return f;
}

int source_add_pod(struct source *s, struct pod_folder *in, const char *path, struct folder **ret)
{
    CLEANUP_FD int fd = pod_folder_open(in);
    int r = fd < 0 ? fd : is_network(fd) ? -EXDEV : is_watched(s, fd) ? -EEXIST : 0;
    struct folder *f = r < 0 ? NULL : new_root(in, path);

    if (!f) {
        pod_folder_free(in);
        return r < 0 ? r : -ENOMEM;
    }
    source_watch_root(s, f, fd);
    if (source_insert_folder(s, f) < 0) {
        if (f->watch >= 0)
            inotify_watch_remove(s->inotify_fd, f->watch);
        folder_free(f);
        return -ENOMEM;
    }
    *ret = f;
    return 0;
}

void source_remove_pod(struct source *s, struct folder *root)
{
    source_forget_below(s, root, root->path);
    s->events.gone(s->events.ctx, root);
    if (root->watch >= 0)
        inotify_watch_remove(s->inotify_fd, root->watch);
    for (size_t i = 0; i < s->count; i++)
        if (s->folder[i] == root) {
            memmove(s->folder + i, s->folder + i + 1, (s->count - i - 1) * sizeof(struct folder *));
            s->count--;
            break;
        }
    folder_free(root);
}

void source_scan_root(struct source *s, struct folder *root)
{
    source_scan_folder(s, root);
}
