/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Which container a process is in, from /proc/self/cgroup (cgroups(7)) and /proc/self/mountinfo
 * (proc(5)): by the conventions of runtimes (Docker, containerd, CRI-O, Podman, ECS, Fargate), which are not a stable
 * interface.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    CONTAINERID_MAX = 65,   /* 64 hex digits; on Fargate 32, '-' and 10 digits */
    CONTAINERNAME_MAX = 64, /* a DNS label: 63 (Kubernetes API, "Container") */
    PODUID_MAX = 37         /* 32 hex digits and 4 times '-'; of a static pod 32 hex digits */
};

/* Each returns whether an id was found; ret is untouched if not. data need not end with NUL. */
bool containerid_from_cgroup(const char *data, size_t size, char ret[CONTAINERID_MAX]);
/* For cgroup v2 with a cgroup namespace, where the path is only "/". */
bool containerid_from_mountinfo(const char *data, size_t size, char ret[CONTAINERID_MAX]);

/* From the path of a cgroup, "/kubepods/…". */
bool containerid_from_path(const char *path, char ret[CONTAINERID_MAX]);

/* The UID of the Kubernetes pod that a cgroup is in: "/kubepods/burstable/podUID/…", or with systemd's cgroups
 * "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID.slice/…", where the kubelet writes '_' for '-'.
 */
bool containerid_pod_from_path(const char *path, char ret[PODUID_MAX]);
bool containerid_pod_from_cgroup(const char *data, size_t size, char ret[PODUID_MAX]);

/* A container's name in its pod, from its /proc/PID/mountinfo: the kubelet mounts a file into each,
 * ".../pods/POD_UID/containers/NAME/RANDOM", by default on /dev/termination-log. Only files of that pod count: a
 * container that may mount could otherwise pose as one of another pod. */
bool containerid_name_from_mountinfo(const char *data, size_t size, const char *pod_uid, char ret[CONTAINERNAME_MAX]);
