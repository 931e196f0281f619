/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage node-capture: takes the evidence of one request (node/request_child.h) and ships it, as `jvm dump` and `core`
 * do, with all that they check. Internal: node-requests starts it.
 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "hotspot/diagnostics.h"
#include "linux/interrupt.h"
#include "linux/launch.h"
#include "node/capture_message.h"
#include "node/request_child.h"
#include "place/container.h"
#include "place/facts.h"
#include "ship/core_capture.h"
#include "ship/heapdump_capture.h"
#include "ship/key_template.h"

enum { CORE_PAUSE_MS = 10 * 1000 /* as `core` */, GIVE_UP_MS = 10 * 60 * 1000 };

struct options {
    struct plan_options plan;
    const char *pod_uid, *container, *what, *namespace, *pod;
    uint64_t pid;
};

static const struct opt OPTIONS[] = {
    {OPT_UINT, 0, "pid", "PID", NULL, offsetof(struct options, pid), "the process"},
    {OPT_STRING, 0, "pod-uid", "UID", NULL, offsetof(struct options, pod_uid), "which it must be of"},
    {OPT_STRING, 0, "container", "NAME", NULL, offsetof(struct options, container), "likewise"},
    {OPT_STRING, 0, "what", "NAME", NULL, offsetof(struct options, what), "heap-dump, threads, histogram or core"},
    {OPT_STRING, 0, "namespace", "NAME", NULL, offsetof(struct options, namespace), "what the evidence is filed under"},
    {OPT_STRING, 0, "pod", "NAME", NULL, offsetof(struct options, pod), "likewise"},
    PLAN_OPTIONS_STORE(struct options, plan),
    PLAN_OPTIONS_SHIP(struct options, plan),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

struct capture_run {
    const struct options *o;
    enum capture_what what;
    struct proc proc;
    struct jvm jvm;
    struct plan plan;
    struct whoami who, owner;
    struct shipping shipping;
};

static void capture_run_done(struct capture_run *c)
{
    sink_close(c->shipping.sink);
    plan_done(&c->plan);
    whoami_done(&c->who);
    whoami_done(&c->owner);
    jvm_done(&c->jvm);
    proc_done(&c->proc);
}

static void on_stored(void *ctx, const struct manifest *m)
{
    const struct capture_run *c = ctx;
    CLEANUP_FREE char *url = sink_object_url(&c->plan.sink, m->key);

    capture_message_send(LAUNCH_CHANNEL, CAPTURE_OBJECT, m->key);
    capture_message_send(LAUNCH_CHANNEL, CAPTURE_URL, url ? url : m->key);
}

/* A pid that another process got meanwhile is of another container. */
static int open_process(struct capture_run *c, struct err *e)
{
    char uid[PODUID_MAX], container[CONTAINERNAME_MAX];

    if (proc_open("/proc", (pid_t)c->o->pid, &c->proc) < 0 || !container_pod(c->proc.fd, uid) ||
        !container_kubelet_name(c->proc.fd, container) || !text_eq(uid, c->o->pod_uid) ||
        !text_eq(container, c->o->container))
        return err_set(e, -ESRCH, "the process of the container has ended");
    return c->what == CAPTURE_CORE ? 0 : jvm_open("/proc", (pid_t)c->o->pid, &c->jvm, e);
}

/* Names of pod and namespace are those for which the person's rights were asked: what the container's environment says
 * does not count. */
static int set_owner(struct capture_run *c)
{
    static const struct facts nothing;
    CLEANUP(whoami_done) struct whoami said = {0};
    struct whoami names = {.namespace = (char *)c->o->namespace,
                           .pod = (char *)c->o->pod,
                           .pod_uid = (char *)c->o->pod_uid,
                           .container = (char *)c->o->container};

    if (whoami_of_process(&c->proc, &said) == 0) {
        names.image = said.image;
        names.host = said.host;
    }
    if (whoami_for(&c->who, &names, &c->owner) < 0)
        return -ENOMEM;
    c->shipping.who = &c->owner;
    c->shipping.facts = &nothing;
    return 0;
}

static int open_store(struct capture_run *c, struct err *e)
{
    int r;

    if ((r = plan_init(&c->plan, &c->o->plan, e)) < 0 || (r = whoami_get("/", &c->who, e)) < 0)
        return r;
    if (c->plan.give_up_ms == 0)
        c->plan.give_up_ms = GIVE_UP_MS;
    c->shipping = (struct shipping){
        .plan = &c->plan, .who = &c->who, .cause = "manual", .logs = true, .stored = on_stored, .stored_ctx = c};
    if (set_owner(c) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    return shipping_try_store(&c->shipping, SHIPPING_TRY_MS, e);
}

static int ask_jvm(struct capture_run *c, const char *diagnostic, const char *name, struct err *e)
{
    const struct jvm_request q = {.jvm = &c->jvm, .diagnostic = diagnostic, .timeout_ms = c->o->plan.timeout_ms};

    return answer_to_store(&q, name, &c->shipping, e);
}

static int take(struct capture_run *c, struct err *e)
{
    const struct dump_options dump = {.timeout_ms = c->o->plan.timeout_ms};
    const struct live_core_options core = {.at_most_ms = CORE_PAUSE_MS};
    struct live_core made;

    switch (c->what) {
    case CAPTURE_HEAP_DUMP:
        return dump_to_store(&c->jvm, &dump, &c->shipping, e);
    case CAPTURE_THREADS:
        return ask_jvm(c, DIAGNOSTIC_THREADS_LOCKS, "threads.txt", e);
    case CAPTURE_HISTOGRAM:
        return ask_jvm(c, DIAGNOSTIC_HISTOGRAM, "histogram.txt", e);
    case CAPTURE_CORE:
        return core_to_store(&c->proc, &core, &c->shipping, &made, e);
    case CAPTURE_WHATS:
        break;
    }
    return err_set(e, -FAULT_USAGE, "nothing is asked for");
}

static int run_all(struct capture_run *c, struct err *e)
{
    int r;

    if ((r = open_process(c, e)) < 0)
        return r;
    capture_message_send(LAUNCH_CHANNEL, CAPTURE_PROGRESS, "asking the store whether it takes evidence");
    if ((r = open_store(c, e)) < 0)
        return r;
    capture_message_send(LAUNCH_CHANNEL, CAPTURE_PROGRESS,
                         c->what == CAPTURE_HEAP_DUMP ? "the JVM writes its heap dump, which is stored then"
                                                      : "taking the evidence, and storing it");
    return take(c, e);
}

static int run(int argc, char **argv)
{
    struct options o = {0};
    CLEANUP(capture_run_done) struct capture_run c = {.o = &o, .proc = PROC_NONE, .jvm = JVM_NONE};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int r = opt_parse(OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e);

    if (r >= 0 && (!o.pid || o.pid > INT_MAX || !o.pod_uid || !o.container || !o.what || !o.namespace || !o.pod ||
                   !o.plan.to || !capture_what_find(o.what, &c.what)))
        r = err_set(&e, -FAULT_USAGE, "node-capture: node-requests starts it");
    if (r < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)o.plan.log);
    interrupt_catch();
    if ((r = run_all(&c, &e)) < 0)
        capture_message_send(LAUNCH_CHANNEL, CAPTURE_ERROR, e.msg);
    interrupt_release();
    return r < 0 ? fault_find(r)->exit_code : 0;
}

const struct command CMD_NODE_CAPTURE = {
    .name = REQUEST_CHILD_COMMAND,
    .args = "",
    .summary = "takes the evidence of one request",
    .hidden = true,
    .run = run,
};
