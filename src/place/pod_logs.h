/* SPDX-License-Identifier: Apache-2.0
 *
 * Namespace and name of a pod by its UID, from the folder that the kubelet makes for its logs before it starts the pod:
 * /var/log/pods/NAMESPACE_POD_UID (kubelet's BuildPodLogsDirectory). What a container says about itself is not asked:
 * the answer may decide where evidence goes.
 */
#pragma once

#include "place/containerid.h"
#include "place/layout.h"

struct pod_logs_names {
    char namespace[LAYOUT_NAME_MAX], pod[LAYOUT_NAME_MAX];
};

/* "NAMESPACE_POD_UID"; false: it is no such name. */
bool pod_logs_parse(const char *folder_name, struct pod_logs_names *ret, char ret_uid[PODUID_MAX]);

/* dir: "/var/log/pods" but in tests. 0; -ENOENT: there is no such pod; -errno: the folder can't be read. */
int pod_logs_names(const char *dir, const char *pod_uid, struct pod_logs_names *ret);
int pod_logs_namespace(const char *dir, const char *pod_uid, char ret[LAYOUT_NAME_MAX]);

/* The folder for the whole process, "/var/log/pods" at first. Borrowed. */
void pod_logs_set_folder(const char *dir);
const char *pod_logs_folder(void);
