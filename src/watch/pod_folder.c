/* SPDX-License-Identifier: Apache-2.0
 *
 * Links are followed once, when the folder is found, and never leave its root (linux/open_beneath.h).
 */
#include "watch/pod_folder.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "linux/open_beneath.h"
#include "linux/proc.h"

void pod_folder_free(struct pod_folder *p)
{
    if (!p)
        return;
    free(p->pod.namespace);
    free(p->pod.pod);
    free(p->pod.uid);
    free(p->pod.container);
    free(p->base);
    free(p->inside);
    free(p->below);
    if (p->fd >= 0)
        close(p->fd);
    if (p->pidfd >= 0)
        close(p->pidfd);
    free(p);
}

bool pod_folder_same_mount(int fd, int other)
{
    uint64_t a, b;

    return proc_mount_id(fd, &a) == 0 && proc_mount_id(other, &b) == 0 && a == b;
}

static struct pod_folder *new_folder(const struct claim_pod *pod)
{
    struct pod_folder *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->fd = p->pidfd = -1;
    p->pod.namespace = strdup(pod->namespace);
    p->pod.pod = strdup(pod->pod);
    p->pod.uid = strdup(pod->uid);
    p->pod.container = pod->container ? strdup(pod->container) : NULL;
    if (p->pod.namespace && p->pod.pod && p->pod.uid && (p->pod.container || !pod->container))
        return p;
    pod_folder_free(p);
    return NULL;
}

/* Opens the folder, or the last one above it that exists: p->inside is its path, p->below the name of the next. */
static int find_existing(struct pod_folder *p, int base, const char *path)
{
    char *cut;
    int fd;

    if (!(p->inside = strdup(path)))
        return -ENOMEM;
    for (;;) {
        fd = open_beneath(base, *p->inside ? p->inside : ".", O_RDONLY | O_DIRECTORY, 0);
        if (fd != -ENOENT || !*p->inside)
            break;
        cut = strrchr(p->inside, '/');
        free(p->below);
        if (!(p->below = strdup(cut ? cut + 1 : p->inside)))
            return -ENOMEM;
        *(cut ? cut : p->inside) = '\0';
    }
    if (fd < 0 || pod_folder_same_mount(base, fd))
        return fd;
    close(fd);
    return -EXDEV;
}

int pod_folder_of_volume(const char *kubelet, const struct claim_pod *pod, const char *volume, const char *path,
                         struct pod_folder **ret)
{
    CLEANUP(pod_folder_free_ptr) struct pod_folder *p = new_folder(pod);
    CLEANUP_FD int base = -1, fd = -1;

    assert(kubelet && pod->uid && volume && path && ret);
    if (!p || asprintf(&p->base, "%s/pods/%s/volumes/kubernetes.io~empty-dir/%s", kubelet, pod->uid, volume) < 0) {
        if (p)
            p->base = NULL;
        return -ENOMEM;
    }
    base = open(p->base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (base < 0)
        return -errno;
    if ((fd = find_existing(p, base, path)) < 0)
        return TAKE_FD(fd);
    *ret = TAKE_PTR(p);
    return 0;
}

int pod_folder_of_process(const struct proc *proc, const struct claim_pod *pod, const char *path,
                          struct pod_folder **ret)
{
    CLEANUP(pod_folder_free_ptr) struct pod_folder *p = new_folder(pod);
    CLEANUP_FD int root = -1;
    int r;

    assert(proc->fd >= 0 && path && ret);
    if (!p)
        return -ENOMEM;
    root = openat(proc->fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return errno == ESRCH ? -ENOENT : -errno;
    if ((r = find_existing(p, root, path)) < 0)
        return r;
    p->fd = r;
    p->pidfd = proc_pidfd(proc);
    *ret = TAKE_PTR(p);
    return 0;
}

int pod_folder_open(const struct pod_folder *p)
{
    CLEANUP_FD int base = -1;
    CLEANUP_FD int fd = -1;

    if (!p->base) {
        fd = openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : TAKE_FD(fd);
    }
    base = open(p->base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (base < 0)
        return -errno;
    if (!*p->inside)
        return TAKE_FD(base);
    if ((fd = open_beneath(base, p->inside, O_RDONLY | O_DIRECTORY, 0)) < 0)
        return TAKE_FD(fd);
    return pod_folder_same_mount(base, fd) ? TAKE_FD(fd) : -EXDEV;
}
