/* SPDX-License-Identifier: Apache-2.0
 *
 * Pods and their containers by the kubelet's folders for logs, NAMESPACE_POD_UID/CONTAINER/RESTART.log, followed by
 * inotify: no log is opened. The kubelet makes a pod's folder before its first container starts.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "place/pod_logs.h"

struct pod_log_source;

struct pod_log_ops {
    /* A folder of a pod is there; created_ns: by its time, as far as it is known. */
    void (*pod)(void *ctx, const char *uid, const struct pod_logs_names *names, int64_t created_ns);
    /* restarts: the number of its newest log. */
    void (*container)(void *ctx, const char *uid, const char *name, uint64_t restarts);
    void (*removed)(void *ctx, const char *uid);
    /* All folders are being named; what is not named until the end is gone. */
    void (*scan_begins)(void *ctx);
    void (*scan_ends)(void *ctx);
};

/* dir: "/var/log/pods". -errno: it can't be read, or there are no watches left. */
int pod_log_source_new(const char *dir, const struct pod_log_ops *ops, void *ctx, struct pod_log_source **ret,
                       struct err *e);
void pod_log_source_free(struct pod_log_source *s);

/* A first scan: called once, before the first wait. */
int pod_log_source_scan(struct pod_log_source *s, struct err *e);

int pod_log_source_fd(const struct pod_log_source *s);

/* When it is readable. Negative: the folder itself is gone, or can't be read any more; the caller begins anew. */
int pod_log_source_act(struct pod_log_source *s, struct err *e);
