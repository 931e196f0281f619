/* SPDX-License-Identifier: Apache-2.0
 *
 * The pod that a request names, if it is of this node, and the process of it that the evidence is of. What a container
 * says about itself is not asked: the table of pods and the kubelet's folders say which pods there are, cgroups and the
 * kubelet's mounts which process is of which container.
 */
#pragma once

#include <sys/types.h>

#include "place/pod_row.h"
#include "place/pod_table.h"
#include "ship/capture_protocol.h"

enum { REQUEST_UIDS_MAX = 8 /* of pods of one name: a StatefulSet's, whose folder of logs stays for a while */ };

struct request_places {
    struct pod_table *table; /* NULL: none */
    const char *pod_logs;    /* the kubelet's folder */
};

struct request_pod {
    char uid[REQUEST_UIDS_MAX][PODUID_MAX];
    unsigned uids;
    bool has_rule; /* the table says which rule fits it, "" for none */
    char rule[POD_RULE_MAX];
};

/* 1: a pod of this name is, or was, on this node; 0: none. Refreshes the table. -errno. */
int request_pod_find(const struct request_places *places, const struct capture_order *o, struct request_pod *ret);

struct request_process {
    pid_t pid;
    char uid[PODUID_MAX], container[CONTAINERNAME_MAX];
};

/* For all but a core the only JVM, for a core that or the process with most memory: of the order's container, or of the
 * pod. root: "/proc" but in tests. -ESRCH, -FAULT_USAGE (several), with a sentence for the person. */
int request_process_find(const char *root, const struct request_pod *pod, const struct capture_order *o,
                         struct request_process *ret, struct err *e);
