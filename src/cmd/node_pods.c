/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage node-pods: the component of `node` that knows this node's pods.
 */
#include <stddef.h>

#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/node_pods.h"
#include "node/pods.h"

struct pods_options {
    struct pods_config config;
    int log;
};

#define AT(field) offsetof(struct pods_options, config.field)

static const struct opt OPTIONS[] = {
    {OPT_STRING, 0, "config", "FILE", NULL, AT(config), "of node"},
    {OPT_STRING, 0, "out", "FILE", NULL, AT(out), "the table of pods"},
    {OPT_STRING, 0, "copy", "FILE", NULL, AT(copy), "the same once more: for the handler of cores, on the host"},
    {OPT_STRING, 0, "pod-logs", "DIR", "/var/log/pods", AT(pod_logs), "the kubelet's folder of logs"},
    {OPT_STRING, 0, "node", "NAME", NULL, AT(node), "of this node; default: NODE_NAME"},
    {OPT_STRING, 0, "api", "URL", NULL, AT(api), "the API server; default: as a pod knows it"},
    {OPT_STRING, 0, "account", "DIR", NULL, AT(account), "token and ca.crt; default: a pod's own"},
    {OPT_STRING, 0, "kubelet", "URL", NULL, AT(kubelet), "ask the kubelet instead"},
    {OPT_STRING, 0, "kubelet-ca", "FILE", NULL, AT(kubelet_ca), "its CA"},
    {OPT_CHOICE, 0, "log", "text|json", "text", offsetof(struct pods_options, log), "form of the log"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static int parse(int argc, char **argv, struct pods_options *ret, struct err *e)
{
    CLEANUP_FREE char **operands = NULL;
    int r = opt_parse(OPTIONS, &(struct opt_argv){argc, argv}, ret, &operands, e);

    if (r < 0)
        return r;
    return r > 0 || !ret->config.config || !ret->config.out
               ? err_set(e, -FAULT_USAGE, "node-pods: --config and --out are needed, and nothing else")
               : 0;
}

int node_pods_check(int argc, char **argv, struct err *e)
{
    struct pods_options o = {0};

    return parse(argc, argv, &o, e);
}

static int run(int argc, char **argv)
{
    struct pods_options o = {0};
    struct err e = {0};
    int r = parse(argc, argv, &o, &e);

    if (r < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)o.log);
    if (!o.config.node)
        o.config.node = env_get("NODE_NAME");
    r = pods_run(&o.config, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_NODE_PODS = {
    .name = "node-pods",
    .args = "",
    .summary = "knows this node's pods, for node",
    .hidden = true,
    .options = OPTIONS,
    .run = run,
};
