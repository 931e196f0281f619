/* SPDX-License-Identifier: Apache-2.0
 *
 * The component that knows this node's pods: `salvage node-pods`, started by `salvage node`. Sources, each where it is
 * there: the API server (or the kubelet), which have labels, owners and volumes; the kubelet's folders of logs. Keeps
 * the table that other components read (place/pod_table.h), and finds each pod's rule in the configuration of `node`,
 * which it reads again on SIGHUP. At rest it sleeps: a connection and inotify wake it.
 */
#pragma once

#include "base/err.h"

struct pods_config {
    const char *config; /* of `node` */
    const char *out;    /* the table */
    const char *copy;   /* another file that becomes the same, for who does not see `out`; NULL: none */
    const char *pod_logs;
    const char *node;                 /* the node's name; NULL: the API can't be asked */
    const char *api, *account;        /* as struct kubeapi_config; NULL: a pod's own */
    const char *kubelet, *kubelet_ca; /* asked in the place of the API server; NULL: not */
};

/* Until SIGTERM. 0 or negative. */
int pods_run(const struct pods_config *c, struct err *e);
