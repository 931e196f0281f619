/* SPDX-License-Identifier: Apache-2.0
 *
 * The pod, node, container or host that a process runs in, for the manifest and the key. From the environment
 * (Kubernetes' downward API: POD_NAME, POD_NAMESPACE, POD_UID, NODE_NAME, CONTAINER_NAME, CONTAINER_IMAGE; with
 * SALVAGE_ in front each takes precedence), the service account's namespace file, and uname. Uses no network. On a
 * node, what the kubelet says of a process's pod (place/pod_logs.h) takes precedence over what the process says.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct proc;

struct whoami {
    char *namespace, *pod, *pod_uid, *node, *container, *image; /* owned; NULL unknown */
    char *host;                                                 /* always */
    char *place;     /* "namespace/pod"; "namespace/HOST" if the pod is unknown; else "host/HOST" */
    bool by_kubelet; /* of another process: the kubelet says pod and namespace (place/pod_of_process.h) */
    char *machine;   /* distinguishes this machine's inode numbers from another's: node, else host */
};

/* root is "/" except in tests. 0, -ENOMEM, or a temporary error of reading a file (-EMFILE, -EIO …): with a guess
 * instead the same dump would be stored under two keys. */
int whoami_get(const char *root, struct whoami *ret, struct err *e);

/* Another process, from the kubelet's folder of logs if it is visible, else from the process's environment and files,
 * which are untrusted; machine is NULL. 0, -ESRCH, -EACCES, -EMSGSIZE,
 * -ENOMEM. */
int whoami_of_process(const struct proc *p, struct whoami *ret);

void whoami_done(struct whoami *w);

/* Another pod or container on this machine: the names in `names` (its place, node and machine are ignored; host may be
 * NULL), our node and machine. 0 or -ENOMEM. */
int whoami_for(const struct whoami *self, const struct whoami *names, struct whoami *ret);

/* Whether this is an EC2 instance, by firmware and hypervisor strings (EC2 User Guide, "Detect whether a host is an EC2
 * instance"), which containers mostly see, too. */
bool whoami_on_ec2(const char *root);
