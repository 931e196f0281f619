/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage node-requests: the component of `node` that takes what persons ask `serve` for. Internal: node starts it.
 */
#include "cmd/node_requests.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "net/url.h"
#include "node/requests.h"

struct options {
    const char *config, *url, *ca_file, *credentials, *node, *pods, *pod_logs;
    int log;
};

static const struct opt OPTIONS[] = {
    {OPT_STRING, 0, "config", "FILE", NULL, offsetof(struct options, config), "the node's configuration"},
    {OPT_STRING, 0, "url", "URL", NULL, offsetof(struct options, url), "of serve"},
    {OPT_STRING, 0, "ca-file", "FILE", NULL, offsetof(struct options, ca_file), "PEM file of the CAs to trust"},
    {OPT_STRING, 0, "credentials-file", "FILE", NULL, offsetof(struct options, credentials),
     "file with our token, read again when it changes"},
    {OPT_STRING, 0, "node", "NAME", NULL, offsetof(struct options, node),
     "our name; default: NODE_NAME, else the host's"},
    {OPT_STRING, 0, "pods", "FILE", NULL, offsetof(struct options, pods), "the table of this node's pods"},
    {OPT_STRING, 0, "pod-logs", "DIR", "/var/log/pods", offsetof(struct options, pod_logs),
     "the kubelet's folder of logs"},
    {OPT_CHOICE, 0, "log", "text|json", "text", offsetof(struct options, log), "form of the log on stderr"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* Without '/' at its end. */
static int take_url(const struct options *o, char *out, size_t room, struct err *e)
{
    struct url_parts u;

    if (!o->url || url_split(o->url, &u) < 0 || strlen(o->url) >= room)
        return err_set(e, -FAULT_USAGE, "node-requests: --url: the address of serve is needed");
    snprintf(out, room, "%s", o->url);
    for (size_t n = strlen(out); n > 0 && out[n - 1] == '/'; n--)
        out[n - 1] = '\0';
    return 0;
}

static int take_node(const struct options *o, char *out, struct err *e)
{
    const char *name = o->node ? o->node : env_get("NODE_NAME");

    if (name)
        snprintf(out, CAPTURE_NAME_MAX, "%s", name);
    else if (gethostname(out, CAPTURE_NAME_MAX - 1) < 0)
        *out = '\0';
    for (char *c = out; !name && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    if (capture_is_name(out))
        return 0;
    return err_set(e, -FAULT_USAGE, "requests: \"%.80s\" is no name of a node: set \"pods: {node: ...}\" or NODE_NAME",
                   out);
}

static int parse(int argc, char **argv, struct options *ret, struct err *e)
{
    CLEANUP_FREE char **operands = NULL;
    int r = opt_parse(OPTIONS, &(struct opt_argv){argc, argv}, ret, &operands, e);

    if (r > 0 || (r == 0 && !ret->config))
        return err_set(e, -FAULT_USAGE, "node-requests: node starts it");
    return r;
}

int node_requests_check(int argc, char **argv, struct err *e)
{
    struct options o = {0};
    char url[1024], node[CAPTURE_NAME_MAX];
    int r;

    if ((r = parse(argc, argv, &o, e)) < 0 || (r = take_url(&o, url, sizeof(url), e)) < 0)
        return r;
    return take_node(&o, node, e);
}

static int run(int argc, char **argv)
{
    static char url[1024], node[CAPTURE_NAME_MAX];
    struct options o = {0};
    struct requests_config config;
    struct err e = {0};
    int r;

    if ((r = parse(argc, argv, &o, &e)) < 0 || (r = take_url(&o, url, sizeof(url), &e)) < 0 ||
        (r = take_node(&o, node, &e)) < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)o.log);
    config = (struct requests_config){
        .client = {.url = url, .ca_file = o.ca_file, .credentials = o.credentials, .node = node},
        .config = o.config,
        .pods = o.pods,
        .pod_logs = o.pod_logs,
        .log = (enum log_format)o.log};
    r = requests_run(&config, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_NODE_REQUESTS = {
    .name = "node-requests",
    .args = "",
    .summary = "takes what persons ask serve for",
    .hidden = true,
    .run = run,
};
