/* SPDX-License-Identifier: Apache-2.0
 *
 * Who we are: pod, node, container or plain host, for the manifest and the key. From the environment (Kubernetes'
 * downward API: POD_NAME, POD_NAMESPACE, POD_UID, NODE_NAME, CONTAINER_NAME, CONTAINER_IMAGE, each also with
 * SALVAGE_ in front, which wins), the service account's namespace file, and uname. Asks no network.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct proc;

struct whoami {
    char *namespace, *pod, *pod_uid, *node, *container, *image; /* owned; NULL unknown */
    char *host;                                                 /* always */
    char *place;   /* "namespace/pod"; "namespace/HOST" if only that is known; "host/HOST" */
    char *machine; /* distinguishes this machine's inode numbers from another's: node, else host */
};

/* root is "/" but in tests. 0, -ENOMEM, or what keeps a file from being read and may pass (-EMFILE, -EIO …): a place
 * that was guessed instead would store the same dump under two keys. */
int whoami_get(const char *root, struct whoami *ret, struct err *e);

/* Another process, by its own environment and files, which are untrusted; machine is NULL.
 * 0, -ESRCH, -EACCES, -EMSGSIZE, -ENOMEM. */
int whoami_of(const struct proc *p, struct whoami *ret);

void whoami_done(struct whoami *w);

/* Another pod or container on this machine, by the names that are known (place, node and machine are not read; host
 * NULL: it has none of its own); our node and machine. 0 or -ENOMEM. */
int whoami_for(const struct whoami *self, const struct whoami *names, struct whoami *ret);

/* Whether this is an EC2 instance, by what the firmware or the hypervisor says of itself (EC2 User Guide, "Detect
 * whether a host is an EC2 instance"); containers on it mostly see that too. */
bool whoami_on_ec2(const char *root);
