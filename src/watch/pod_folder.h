/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder of a pod that has no mount of ours: of an emptyDir, below the kubelet's folder, or of a container's own file
 * system, which /proc/PID/root leads to. The application owns what lies there: so it is opened with its volume or its
 * file system as the root of all links, and what is mounted in it is left alone. An emptyDir is opened each time: a
 * descriptor would keep one in memory from being unmounted. Of a container a descriptor stays open: its files are
 * readable until the runtime removes them, when no process of it is left.
 */
#pragma once

#include <stdbool.h>

#include "base/mem.h"
#include "ship/claim.h"

struct pod_folder {
    struct claim_pod pod; /* owned */
    char *base;           /* the path of an emptyDir; NULL: of a container */
    char *inside;         /* the folder in it, without links; "" */
    char *below;          /* the name of the first folder in there that does not exist yet; NULL: all exist */
    int fd;               /* of a container's folder; -1 */
    int pidfd;            /* readable when the container has ended; -1: of an emptyDir, or not known */
};

/* The part of its path that exists is opened. path: "" for all of it. -ENOENT: the volume, or the container's process,
 * is not there; -EXDEV: something is mounted there; -ENOTDIR, -EACCES …: as of openat(2); -ENOMEM. */
int pod_folder_of_volume(const char *kubelet, const struct claim_pod *pod, const char *volume, const char *path,
                         struct pod_folder **ret);

struct proc;

/* Of the container that this process is in, by its own root. */
int pod_folder_of_process(const struct proc *p, const struct claim_pod *pod, const char *path, struct pod_folder **ret);

void pod_folder_free(struct pod_folder *p); /* may be NULL */
DEFINE_CLEANUP(struct pod_folder *, pod_folder_free)

/* A descriptor for reading; -errno. */
int pod_folder_open(const struct pod_folder *p);

/* Whether both are on one mount: one that an application has mounted in its folder is none of its files. */
bool pod_folder_same_mount(int fd, int other);
