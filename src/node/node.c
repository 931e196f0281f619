/* SPDX-License-Identifier: Apache-2.0
 *
 * One loop over signals and timers. The file is looked at by stat(2): that sees also a ConfigMap, whose file is a link
 * into a folder that is exchanged, and a file of a volume that has no inotify.
 */
#include "node/node.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wait.h"
#include "linux/launch.h"
#include "net/metrics_server.h"
#include "node/component.h"
#include "node/component_env.h"
#include "node/cores.h"
#include "node/left_behind.h"
#include "node/pod_rules.h"
#include "node/run_folder.h"

struct node {
    const struct node_config *config;
    struct component **item; /* owned */
    size_t count, capacity;
    struct cores cores;
    uint64_t grace_ms, stamp, reread_at_ms;
    char *metrics_address; /* NULL: none */
    struct metrics_server *metrics;
    struct pollfd *polled; /* room for the signals and all components */
    int signal_fd;
    unsigned stops; /* requests to stop */
};

static void check_spec(const struct node_config *c, const struct component_spec *s, struct config_errors *errors)
{
    struct err e = {0};

    if (c->check && c->check(s, &e) < 0)
        config_errors_add(errors, s->line, "%s: %s", s->name, e.msg);
}

static void check_all(const struct node_config *c, const struct component_list *l, struct config_errors *errors)
{
    for (size_t i = 0; i < l->count; i++)
        check_spec(c, &l->item[i], errors);
    for (size_t i = 0; i < l->cores.sets; i++)
        check_spec(c, &l->cores.set[i], errors);
}

void node_plan_done(struct node_plan *p)
{
    component_list_done(&p->components);
    free(p->metrics);
    free(p->run);
    buf_done(&p->text);
    strv_done(&p->label_rules);
    *p = (struct node_plan){0};
}

int node_read(const struct node_config *c, struct node_plan *ret, struct config_errors *errors)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = CONFIG_SIZE_MAX + 1};
    CLEANUP(config_free_ptr) struct config *config = NULL;
    CLEANUP(node_plan_done) struct node_plan plan = {0};
    struct component_list *l = &plan.components;
    int r = file_load(AT_FDCWD, c->path, &text);

    if (r < 0 && r != -EMSGSIZE) {
        config_errors_add(errors, 0, "%s", r == -EINVAL ? "this is no file" : strerror(-r));
        return r;
    }
    if (r == -EMSGSIZE) {
        config_errors_add(errors, 0, "longer than 256 KiB");
        return -EINVAL;
    }
    if ((r = config_read(buf_text(&text), text.size, &config, errors)) < 0)
        return r;
    config->path = c->path;
    if ((r = component_list_make(config, c->log, l)) < 0)
        return r;
    if (config->metrics && !(plan.metrics = strdup(config->metrics)))
        return -ENOMEM;
    plan.grace_ms = config->grace_ms;
    plan.run = TAKE_PTR(config->run);
    for (size_t i = 0; i < config->rules; i++)
        if (pod_rules_asks(&config->rule[i]) && strv_add(&plan.label_rules, config->rule[i].name) < 0)
            return -ENOMEM;
    plan.text = text;
    text = (struct buf){0};
    check_all(c, l, errors);
    if (errors->count == 0 && l->count == 0 && !l->cores.dir)
        config_errors_add(errors, 0, "nothing is to be done: no rule has a watch, a guard, kills or cores");
    if (errors->count > 0)
        return -EINVAL;
    *ret = plan;
    plan = (struct node_plan){0};
    return 0;
}

/* --- components -----------------------------------------------------------------------------------------------------
 */

static struct component *find_component(const struct node *n, const char *name)
{
    for (size_t i = 0; i < n->count; i++)
        if (text_eq(n->item[i]->spec.name, name))
            return n->item[i];
    return NULL;
}

static int add_component(struct node *n, struct component_spec *spec)
{
    struct component *c;

    struct pollfd *polled;

    if (array_reserve(&n->item, n->count + 1, &n->capacity, sizeof(struct component *), 2 * (size_t)COMPONENTS_MAX) < 0)
        return -ENOMEM;
    if (!(polled = reallocarray(n->polled, n->capacity + 1, sizeof(*polled))))
        return -ENOMEM;
    n->polled = polled;
    if (!(c = calloc(1, sizeof(*c))))
        return -ENOMEM;
    component_init(c, spec);
    n->item[n->count++] = c;
    return 0;
}

static void forget(struct node *n)
{
    for (size_t i = n->count; i-- > 0;)
        if (component_is_over(n->item[i])) {
            component_done(n->item[i]);
            free(n->item[i]);
            n->item[i] = n->item[--n->count];
        }
}

static bool same_spec(const struct component_spec *a, const struct component_spec *b)
{
    if ((a->credentials != NULL) != (b->credentials != NULL) ||
        (a->credentials && !text_eq(a->credentials, b->credentials)))
        return false;
    return strv_same(&a->args, &b->args);
}

static bool is_listed(const struct component_list *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (text_eq(l->item[i].name, name))
            return true;
    return false;
}

/* Takes the specs over. What is removed ends first: a watch whose namespaces another one gets. */
static int apply(struct node *n, struct component_list *l)
{
    unsigned started = 0, changed = 0, removed = 0, kept = 0;
    int r = 0;

    for (size_t i = 0; i < n->count; i++)
        if (n->item[i]->wanted && !is_listed(l, n->item[i]->spec.name)) {
            component_end(n->item[i], n->grace_ms);
            removed++;
        }
    for (size_t i = 0; i < l->count && r == 0; i++) {
        struct component *c = find_component(n, l->item[i].name);

        if (!c) {
            r = add_component(n, &l->item[i]);
            started++;
        } else if (!c->wanted || !same_spec(&c->spec, &l->item[i])) {
            component_change(c, &l->item[i], n->grace_ms);
            changed++;
        } else {
            component_reload(c);
            kept++;
        }
    }
    log_event(EVENT_NODE_RELOADED, LOG_STR("config", n->config->path), LOG_UINT("started", started),
              LOG_UINT("changed", changed), LOG_UINT("removed", removed), LOG_UINT("kept", kept));
    return r;
}

/* --- the configuration ----------------------------------------------------------------------------------------------
 */

static void report_refused(const struct node *n, const struct config_errors *errors, int result)
{
    for (unsigned i = 0; i < errors->count && i < CONFIG_ERRORS_MAX; i++)
        log_event(EVENT_NODE_REFUSED, LOG_STR("config", n->config->path), LOG_UINT("line", errors->item[i].line),
                  LOG_STR("error", errors->item[i].text));
    if (errors->count == 0)
        log_event(EVENT_NODE_REFUSED, LOG_STR("config", n->config->path), LOG_STR("error", strerror(-result)));
}

/* Metrics are no evidence: without them the rest still runs. Takes the address over. */
static void show_metrics(struct node *n, char **address)
{
    struct err e = {0};

    if (n->metrics == NULL ? !*address : *address && text_eq(n->metrics_address, *address))
        return;
    metrics_server_stop(n->metrics);
    n->metrics = NULL;
    free(n->metrics_address);
    n->metrics_address = TAKE_PTR(*address);
    if (metrics_server_start_for(n->metrics_address, NULL, NULL, &n->metrics, &e) < 0)
        log_event(EVENT_NO_METRICS, LOG_STR("address", n->metrics_address), LOG_STR("error", e.msg));
}

/* Without it each component still keeps the limits for itself. */
static void make_run_folder(const struct node_plan *plan)
{
    struct err e = {0};

    if (run_folder_make(plan->run, &e) < 0)
        log_event(EVENT_NODE_LIMITS_APART, LOG_STR("error", e.msg));
}

/* For components that read it: a file with an error must not end them. */
static void keep_accepted(const struct node_plan *plan)
{
    CLEANUP_FREE char *path = NULL;
    int r;

    if (asprintf(&path, "%s/" NODE_ACCEPTED, plan->run) < 0)
        path = NULL;
    r = path ? file_replace(AT_FDCWD, path, buf_text(&plan->text), plan->text.size, 0600) : -ENOMEM;
    if (r < 0)
        log_event(EVENT_POD_SOURCE_FAILED, LOG_STR("source", "table"), LOG_STR("path", plan->run),
                  LOG_STR("error", strerror(-r)));
}

static void reread(struct node *n)
{
    CLEANUP(node_plan_done) struct node_plan plan = {0};
    struct config_errors errors = {0};
    uint64_t stamp = component_env_stamp(n->config->path);
    int r = node_read(n->config, &plan, &errors);

    n->stamp = stamp;
    if (r == 0) {
        n->grace_ms = plan.grace_ms;
        make_run_folder(&plan);
        keep_accepted(&plan);
        left_behind_report(&plan.components);
        cores_apply(&n->cores, &plan.components.cores);
        r = apply(n, &plan.components);
        show_metrics(n, &plan.metrics);
    }
    if (r < 0)
        report_refused(n, &errors, r);
}

static void look_for_changes(struct node *n)
{
    n->reread_at_ms = clock_mono_ms() + n->config->reread_ms;
    if (component_env_stamp(n->config->path) != n->stamp)
        reread(n);
    for (size_t i = 0; i < n->count; i++)
        component_check_credentials(n->item[i], n->grace_ms);
    cores_check_credentials(&n->cores);
}

/* --- the loop -------------------------------------------------------------------------------------------------------
 */

static void reap(struct node *n)
{
    pid_t pid;
    int status;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < n->count; i++)
            if (n->item[i]->pid == pid)
                component_reaped(n->item[i], status);
}

/* A second request is passed on as SIGINT: stop at once. */
static void stop(struct node *n)
{
    n->stops++;
    for (size_t i = 0; i < n->count; i++) {
        component_end(n->item[i], n->grace_ms);
        if (n->stops > 1 && n->item[i]->pid)
            kill(n->item[i]->pid, SIGINT);
    }
}

static void on_signals(struct node *n)
{
    struct signalfd_siginfo info;

    while (read(n->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            reap(n);
        else if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            stop(n);
        else if (info.ssi_signo == SIGHUP && !n->stops)
            reread(n);
    }
}

static uint64_t next_due(const struct node *n)
{
    uint64_t due = n->stops ? UINT64_MAX : n->reread_at_ms;

    if (!n->stops && n->cores.due_ms < due)
        due = n->cores.due_ms;
    for (size_t i = 0; i < n->count; i++)
        if (n->item[i]->due_ms < due)
            due = n->item[i]->due_ms;
    return due;
}

/* Until a signal or a component's news, or something is due. */
static void wait_for_news(struct node *n)
{
    n->polled[0] = (struct pollfd){.fd = n->signal_fd, .events = POLLIN};
    for (size_t i = 0; i < n->count; i++)
        n->polled[i + 1] = (struct pollfd){.fd = n->item[i]->counters.fd, .events = POLLIN};
    if (poll(n->polled, n->count + 1, wait_timeout(clock_mono_ms(), next_due(n))) < 0 && errno != EINTR)
        clock_sleep_ms(100); /* the kernel is out of memory */
    for (size_t i = 0; i < n->count; i++)
        counters_receive_from(&n->item[i]->counters);
}

static void run_loop(struct node *n)
{
    while (n->count > 0 || !n->stops) {
        uint64_t now;

        wait_for_news(n);
        on_signals(n);
        now = clock_mono_ms();
        if (!n->stops && now >= n->reread_at_ms)
            look_for_changes(n);
        if (!n->stops)
            cores_on_time(&n->cores, now);
        for (size_t i = 0; i < n->count; i++)
            component_on_time(n->item[i], now);
        forget(n);
    }
}

static int start_all(struct node *n, struct node_plan *plan)
{
    struct component_list *l = &plan->components;
    int r = 0;

    show_metrics(n, &plan->metrics);
    make_run_folder(plan);
    keep_accepted(plan);
    left_behind_report(l);
    log_event(EVENT_NODE_STARTED, LOG_STR("config", n->config->path), LOG_UINT("components", l->count));
    cores_apply(&n->cores, &l->cores);
    for (size_t i = 0; i < l->count && r == 0; i++)
        r = add_component(n, &l->item[i]);
    return r;
}

int node_run(const struct node_config *c, struct node_plan *plan, struct err *e)
{
    struct node n = {.config = c, .grace_ms = plan->grace_ms, .stamp = component_env_stamp(c->path)};
    struct launch_signals before;
    sigset_t waiting;
    int r;

    assert(c->path && (plan->components.count > 0 || plan->components.cores.dir) && c->reread_ms > 0);
    launch_block_signals(&before, &waiting);
    if (!(n.polled = calloc(1, sizeof(*n.polled))))
        return err_set(e, -ENOMEM, "out of memory");
    n.signal_fd = signalfd(-1, &waiting, SFD_CLOEXEC | SFD_NONBLOCK);
    if (n.signal_fd < 0)
        return err_set(e, -errno, "signalfd: %s", strerror(errno));
    n.reread_at_ms = clock_mono_ms() + c->reread_ms;
    if ((r = start_all(&n, plan)) < 0) {
        err_set(e, r, "out of memory");
        stop(&n);
    }
    run_loop(&n);
    metrics_server_stop(n.metrics);
    close(n.signal_fd);
    free(n.metrics_address);
    free(n.polled);
    cores_done(&n.cores);
    free(n.item);
    return r;
}
