/* SPDX-License-Identifier: Apache-2.0
 *
 * Which cores are taken, and how: the options that `core install` and the handler share. The handler gets them as
 * arguments again (node/core_config.h).
 */
#pragma once

#include "base/rate.h"
#include "ship/plan.h"

struct core_rules {
    struct plan_options plan;
    struct opt_list only, ignore;
    struct opt_list namespaces; /* base/glob_list.h; not empty: only cores of pods of these */
    struct opt_list pod_rules;  /* names of rules of `node`: only cores of pods to which one of these applies */
    const char *spool, *rate, *pod_logs, *pods;
    bool any_limit, chain;
    uint64_t spool_max, core_max, hold_ms, at_once, buffer;
};

/* clang-format off */
/* Rows for a command's table of options; `o`: the type of its options, `p`: the core_rules in it. */
#define CORE_RULES_OPTIONS(o, p)                                                                                       \
    {OPT_HEADING, .name = "Cores"},                                                                                    \
    PLAN_ROW(OPT_LIST, "only", "RULE", NULL, o, p.only,                                                                \
             "take cores of these processes only: cgroup=GLOB, uid=NUMBER or program=GLOB (of the first 15 bytes of "  \
             "its name); may be repeated: one of them is enough"),                                                     \
    PLAN_ROW(OPT_LIST, "ignore", "RULE", NULL, o, p.ignore, "take no cores of these; may be repeated"),                \
    PLAN_ROW(OPT_LIST, "namespace", "[!]GLOB", NULL, o, p.namespaces,                                                  \
             "only of pods of these namespaces, as the kubelet says; the first that fits decides, and ! leaves out; "  \
             "may be repeated"),                                                                                       \
    PLAN_ROW(OPT_STRING, "pods", "FILE", NULL, o, p.pods,                                                              \
             "the table of this node's pods, which the node agent keeps (docs/node.md)"),                              \
    PLAN_ROW(OPT_LIST, "pod-rule", "NAME", NULL, o, p.pod_rules,                                                       \
             "with --pods: pods to which this rule of the node agent applies; may be repeated. --namespace counts "    \
             "for pods that are not in the table"),                                                                    \
    PLAN_ROW(OPT_STRING, "pod-logs", "DIR", "/var/log/pods", o, p.pod_logs,                                            \
             "with --namespace: the kubelet's folder of logs on the host, which says the namespace of a pod"),         \
    PLAN_ROW(OPT_FLAG, "any-limit", NULL, NULL, o, p.any_limit,                                                        \
             "take cores also of processes with RLIMIT_CORE 0 (ulimit -c 0), and longer ones than their limit"),       \
    PLAN_ROW(OPT_SIZE, "core-max", "SIZE", "64G", o, p.core_max, "cut a core at this size, and mark it; 0: never"),    \
    PLAN_ROW(OPT_DURATION, "hold", "DURATION", "10m", o, p.hold_ms,                                                    \
             "how long a process may wait for its core to be read; then the core is cut, and marked"),                 \
    PLAN_ROW(OPT_SIZE, "buffer", "SIZE", "1G", o, p.buffer,                                                            \
             "memory, beside --memory, for what is read of a core and not compressed yet, so that the process is "     \
             "released sooner: at most this, and an eighth of what the machine has available; 0: none"),               \
    PLAN_ROW(OPT_STRING, "rate", "RATE", "10/hour", o, p.rate,                                                         \
             "cores of one pod, else container, else cgroup: further ones are counted, and not read; none: no limit"),                           \
    PLAN_ROW(OPT_UINT, "at-once", "N", "4", o, p.at_once,                                                              \
             "cores at once; one pod, container or cgroup has at most all but one of them, if there are more"),                          \
    PLAN_ROW(OPT_STRING, "spool", "DIR", NULL, o, p.spool,                                                             \
             "where cores wait while the store is away, below NAMESPACE/POD: salvage watch DIR ships them"),           \
    PLAN_ROW(OPT_SIZE, "spool-max", "SIZE", "4G", o, p.spool_max, "ceiling of the spool; a core is cut there"),        \
    PLAN_ROW(OPT_FLAG, "chain", NULL, NULL, o, p.chain,                                                                \
             "give the cores that are taken to the handler before us, too; others go to it in any case")
/* clang-format on */

/* Checks what opt_parse does not. *ret_rate: of r->rate. -FAULT_USAGE. */
int core_rules_check(const struct core_rules *r, struct rate *ret_rate, struct err *e);

/* What the rules look at. */
struct core_subject {
    const char *cgroup;  /* its path, "" unknown */
    const char *program; /* comm */
    uint64_t uid, limit; /* limit: RLIMIT_CORE */
};

/* NULL: the core is taken; else why it is not. Static. */
const char *core_rules_refuse(const struct core_rules *r, const struct core_subject *s);
