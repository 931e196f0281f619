/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage node-arm: the component of `node` that arms JVMs of pods (node/armed_pods.h). Internal: node starts it.
 */
#include "cmd/node_arm.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "cmd/commands.h"
#include "node/armed_pods.h"
#include "place/pod_logs.h"

enum { TIMEOUT_MS = 30 * 1000 };

struct options {
    const char *pods, *kubelet, *pod_logs;
    struct opt_list all, asked, trees;
    uint64_t every_ms;
    int log;
};

static const struct opt OPTIONS[] = {
    {OPT_STRING, 0, "pods", "FILE", NULL, offsetof(struct options, pods), "the table of this node's pods"},
    {OPT_STRING, 0, "kubelet", "DIR", NULL, offsetof(struct options, kubelet),
     "the kubelet's folder, if folders in pods are watched that an annotation names"},
    {OPT_STRING, 0, "pod-logs", "DIR", "/var/log/pods", offsetof(struct options, pod_logs),
     "the kubelet's folder of logs"},
    {OPT_LIST, 0, "arm-rule", "NAME", NULL, offsetof(struct options, all), "a rule whose pods are armed"},
    {OPT_LIST, 0, "asked-rule", "NAME", NULL, offsetof(struct options, asked),
     "a rule whose pods are armed if their annotation asks for it"},
    {OPT_LIST, 0, "tree", "DIR", NULL, offsetof(struct options, trees), "a watched tree"},
    {OPT_DURATION, 0, "every", "DURATION", "5s", offsetof(struct options, every_ms), "how often JVMs are looked for"},
    {OPT_CHOICE, 0, "log", "text|json", "text", offsetof(struct options, log), "form of the log on stderr"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static int parse(int argc, char **argv, struct options *ret, struct err *e)
{
    CLEANUP_FREE char **operands = NULL;
    int r = opt_parse(OPTIONS, &(struct opt_argv){argc, argv}, ret, &operands, e);

    if (r > 0 || (r == 0 && (!ret->pods || ret->every_ms == 0)))
        return err_set(e, -FAULT_USAGE,
                       "node-arm: node starts it, with the table of pods (\"pods: false\" leaves it out)");
    return r;
}

int node_arm_check(int argc, char **argv, struct err *e)
{
    struct options o = {0};

    return parse(argc, argv, &o, e);
}

/* Readable when we shall end. */
static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int follow(const struct options *o, struct err *e)
{
    CLEANUP(armed_pods_free_ptr) struct armed_pods *pods = NULL;
    const struct armed_pods_config config = {
        .table = o->pods, .kubelet = o->kubelet, .all = &o->all, .asked = &o->asked, .trees = &o->trees};
    struct armfollow_config how = {
        .round = armed_pods_round, .place = armed_pods_place, .every_ms = o->every_ms, .timeout_ms = TIMEOUT_MS};
    CLEANUP_FD int stop = open_signals();
    int r;

    if (stop < 0)
        return err_set(e, -errno, "signalfd: %s", strerror(errno));
    if ((r = armed_pods_new(&config, &pods)) < 0)
        return err_set(e, r, "out of memory");
    how.ctx = pods;
    how.stop_fd = stop;
    return armfollow_run(&how, e);
}

static int run(int argc, char **argv)
{
    struct options o = {0};
    struct err e = {0};
    int r;

    if ((r = parse(argc, argv, &o, &e)) < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)o.log);
    pod_logs_set_folder(o.pod_logs); /* the pod's name is part of the dump's */
    r = follow(&o, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_NODE_ARM = {
    .name = "node-arm",
    .args = "",
    .summary = "arms JVMs of pods",
    .hidden = true,
    .run = run,
};
