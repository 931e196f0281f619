/* SPDX-License-Identifier: Apache-2.0
 *
 * The component of a node that takes what persons ask `serve` for (docs/node.md): one connection that waits for
 * requests; each that names a pod of this node becomes a process that takes the evidence (node/request_child.h), with
 * the credentials of its rule's destination. Touches no evidence itself.
 */
#pragma once

#include "base/log.h"
#include "node/request_client.h"

enum { REQUESTS_AT_ONCE = 4 };

struct requests_config {
    struct request_client_config client;
    const char *config;   /* path of the node's configuration */
    const char *pods;     /* the table of pods; NULL: none */
    const char *pod_logs; /* the kubelet's folder of logs */
    enum log_format log;  /* of the processes that take the evidence */
};

/* Runs until SIGTERM or SIGINT; what runs then is asked to end, and reported. 0, or why it can't begin. */
int requests_run(const struct requests_config *config, struct err *e);
