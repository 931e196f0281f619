/* SPDX-License-Identifier: Apache-2.0
 *
 * One loop over poll(2): signals, inotify, the API's connection, and the earliest of some times.
 */
#include "node/pods.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/wait.h"
#include "kubeapi/kubeapi_watch.h"
#include "linux/launch.h"
#include "net/url.h"
#include "node/accepted_config.h"
#include "node/pod_log_source.h"
#include "node/pod_object.h"
#include "node/pod_rules.h"
#include "node/pod_set.h"

enum {
    WRITE_SOON_MS = 20,         /* what comes together is written together */
    WRITE_EACH_MS = 300,        /* and not more often than this */
    LOGS_RETRY_MS = 60 * 1000,  /* where the folder of logs can't be read */
    KUBELET_SOON_MS = 1000,     /* after a change of the folders; it has no watch */
    KUBELET_EACH_MS = 60 * 1000 /* labels change without a change of the folders */
};

struct pods {
    const struct pods_config *c;
    struct config *config; /* owned */
    struct strv annotations;
    struct pod_set set;
    int signal_fd;
    struct kubeapi *api;
    struct kubeapi_watch *watch; /* NULL: no API */
    struct pod_log_source *logs; /* NULL: not there */
    const char *source;          /* "api" or "kubelet" */
    uint64_t logs_due_ms, kubelet_due_ms;
    uint64_t apply_due_ms, write_due_ms, written_ms;
    XXH64_hash_t written; /* what is in the file */
    bool labels_said;     /* that rules are applied without labels */
    bool stopped;
};

static void changed(struct pods *p)
{
    uint64_t now = clock_mono_ms(), soonest = p->written_ms + WRITE_EACH_MS;

    if (p->write_due_ms == UINT64_MAX)
        p->write_due_ms = now + WRITE_SOON_MS > soonest ? now + WRITE_SOON_MS : soonest;
}

/* --- the API --------------------------------------------------------------------------------------------------------
 */

static void on_list_begins(void *ctx)
{
    struct pods *p = ctx;

    pod_set_list_begins(&p->set);
}

static int on_object(void *ctx, const json_t *object, bool gone)
{
    struct pods *p = ctx;
    CLEANUP(pod_row_done) struct pod_row row = {0};
    unsigned left_out = 0;
    int r = pod_object_read(object, &p->annotations, &row, &left_out);

    if (r == -EBADMSG) {
        log_event(EVENT_POD_LEFT_OUT, LOG_STR("source", p->source), LOG_STR("error", "no valid name or UID"));
        return 0;
    }
    if (r < 0)
        return r;
    if (left_out > 0 && !pod_set_find(&p->set, row.uid))
        log_event(EVENT_POD_LEFT_OUT, LOG_STR("source", p->source), LOG_STR("namespace", row.namespace),
                  LOG_STR("pod", row.name), LOG_UINT("texts", left_out),
                  LOG_STR("error", "too many or too long labels, annotations, containers or volumes"));
    changed(p);
    return pod_set_from_api(&p->set, &row, gone);
}

static void on_list_ends(void *ctx)
{
    struct pods *p = ctx;

    pod_set_list_ends(&p->set);
    changed(p);
}

static void on_works(void *ctx)
{
    struct pods *p = ctx;

    p->set.api_works = true;
    p->labels_said = false;
    log_event(EVENT_POD_SOURCE, LOG_STR("source", p->source), LOG_UINT("pods", p->set.count));
}

static void on_fails(void *ctx, int result, const struct err *e)
{
    struct pods *p = ctx;

    (void)result;
    p->set.api_works = false;
    log_event(EVENT_POD_SOURCE_FAILED, LOG_STR("source", p->source), LOG_STR("error", e->msg));
}

static void on_left_out(void *ctx, unsigned objects)
{
    struct pods *p = ctx;

    log_event(EVENT_POD_LEFT_OUT, LOG_STR("source", p->source), LOG_UINT("pods", objects),
              LOG_STR("error", "larger than 3 MiB, or no JSON"));
}

static const struct kubeapi_watch_ops API_OPS = {on_list_begins, on_object, on_list_ends,
                                                 on_works,       on_fails,  on_left_out};

static int open_api(struct pods *p, struct err *e)
{
    const struct pods_config *c = p->c;
    const struct kubeapi_config api = {
        .url = c->kubelet ? c->kubelet : c->api, .account = c->account, .ca_file = c->kubelet ? c->kubelet_ca : NULL};
    CLEANUP_FREE char *node = c->node ? url_encode(c->node, strlen(c->node), 0) : NULL;
    char selector[512];
    struct kubeapi_watch_config watch = {.path = c->kubelet ? "/pods" : "/api/v1/pods",
                                         .selector = c->kubelet ? NULL : selector,
                                         .can_watch = !c->kubelet,
                                         .ops = &API_OPS,
                                         .ctx = p};
    int r;

    if (!c->kubelet && !node)
        return err_set(e, -FAULT_USAGE, "which node is this? NODE_NAME (spec.nodeName) or pods: {node: ...}");
    if (!api.url && !env_get("KUBERNETES_SERVICE_HOST"))
        return err_set(e, -FAULT_USAGE, "where is it? KUBERNETES_SERVICE_HOST is not set, nor pods: {api: ...}");
    snprintf(selector, sizeof(selector), "fieldSelector=spec.nodeName%%3D%s", node ? node : "");
    if ((r = kubeapi_new(&api, &p->api, e)) < 0)
        return r;
    watch.api = p->api;
    return kubeapi_watch_new(&watch, &p->watch, e);
}

/* Without it, namespaces are known from the folders of logs. */
static void start_api(struct pods *p)
{
    struct err e = {0};

    p->source = p->c->kubelet ? "kubelet" : "api";
    if (open_api(p, &e) < 0)
        log_event(EVENT_POD_SOURCE_FAILED, LOG_STR("source", p->source), LOG_STR("error", e.msg));
    p->set.labels_expected = p->watch != NULL;
}

/* --- the folders of logs --------------------------------------------------------------------------------------------
 */

static void ask_kubelet_soon(struct pods *p)
{
    uint64_t soon = clock_mono_ms() + KUBELET_SOON_MS;

    if (p->c->kubelet && p->watch && soon < p->kubelet_due_ms)
        p->kubelet_due_ms = soon;
}

static void on_log_pod(void *ctx, const char *uid, const struct pod_logs_names *names, int64_t created_ns)
{
    struct pods *p = ctx;

    pod_set_from_logs(&p->set, uid, names, created_ns);
    ask_kubelet_soon(p);
    changed(p);
}

static void on_log_container(void *ctx, const char *uid, const char *name, uint64_t restarts)
{
    struct pods *p = ctx;

    pod_set_container(&p->set, uid, name, restarts);
    ask_kubelet_soon(p);
    changed(p);
}

static void on_log_removed(void *ctx, const char *uid)
{
    struct pods *p = ctx;

    pod_set_logs_removed(&p->set, uid);
    ask_kubelet_soon(p);
    changed(p);
}

static void on_scan_begins(void *ctx)
{
    struct pods *p = ctx;

    pod_set_scan_begins(&p->set);
}

static void on_scan_ends(void *ctx)
{
    struct pods *p = ctx;

    pod_set_scan_ends(&p->set);
    changed(p);
}

static const struct pod_log_ops LOG_OPS = {on_log_pod, on_log_container, on_log_removed, on_scan_begins, on_scan_ends};

static void lose_logs(struct pods *p, const struct err *e)
{
    pod_log_source_free(TAKE_PTR(p->logs));
    if (p->set.logs_work || p->logs_due_ms == 0) /* once */
        log_event(EVENT_POD_SOURCE_FAILED, LOG_STR("source", "logs"), LOG_STR("error", e->msg));
    p->set.logs_work = false;
    p->logs_due_ms = clock_mono_ms() + LOGS_RETRY_MS;
}

static void open_logs(struct pods *p)
{
    struct err e = {0};

    if (pod_log_source_new(p->c->pod_logs, &LOG_OPS, p, &p->logs, &e) < 0 || pod_log_source_scan(p->logs, &e) < 0) {
        lose_logs(p, &e);
        return;
    }
    p->set.logs_work = true;
    p->logs_due_ms = UINT64_MAX;
    log_event(EVENT_POD_SOURCE, LOG_STR("source", "logs"), LOG_UINT("pods", p->set.count));
}

/* --- the table ------------------------------------------------------------------------------------------------------
 */

static void say_without_labels(struct pods *p)
{
    if (p->set.by_namespace == 0 || p->labels_said)
        return;
    p->labels_said = true;
    log_event(EVENT_POD_LABELS_UNKNOWN, LOG_UINT("pods", p->set.by_namespace));
}

/* Without fsync(2): after a crash of the machine the pods are others. */
static int replace(const char *path, const struct buf *text)
{
    CLEANUP_FREE char *temporary = NULL;
    CLEANUP_FD int fd = -1;
    int r;

    if (asprintf(&temporary, "%s.new", path) < 0) {
        temporary = NULL;
        return -ENOMEM;
    }
    if ((fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
        return -errno;
    if ((r = file_write(fd, text->data, text->size)) < 0)
        return r;
    return rename(temporary, path) < 0 ? -errno : 0;
}

static void write_table(struct pods *p)
{
    CLEANUP(buf_done) struct buf text = {0};
    XXH64_hash_t hash;
    int r;

    p->write_due_ms = UINT64_MAX;
    p->apply_due_ms = pod_set_apply(&p->set, p->config);
    say_without_labels(p);
    if (p->set.refused > 0)
        log_event(EVENT_POD_LEFT_OUT, LOG_UINT("pods", p->set.refused), LOG_STR("error", "more than 4096 pods"));
    p->set.refused = 0;
    r = pod_set_write(&p->set, &text);
    hash = r == 0 ? XXH3_64bits(text.data, text.size) : 0;
    if (r == 0 && hash == p->written)
        return;
    if (r == 0)
        r = replace(p->c->out, &text);
    if (r == 0 && p->c->copy)
        r = replace(p->c->copy, &text);
    p->written_ms = clock_mono_ms();
    if (r == 0) {
        p->written = hash;
        buf_done(&text);
        malloc_trim(0); /* this process sleeps most of its life */
        return;
    }
    log_event(EVENT_POD_SOURCE_FAILED, LOG_STR("source", "table"), LOG_STR("path", p->c->out),
              LOG_STR("error", strerror(-r)));
    p->write_due_ms = p->written_ms + LOGS_RETRY_MS;
}

/* --- the configuration ----------------------------------------------------------------------------------------------
 */

/* Other annotations may be asked for: then the pods are listed anew. */
static int load_config(struct pods *p, struct err *e)
{
    CLEANUP(strv_done) struct strv annotations = {0};
    CLEANUP(config_free_ptr) struct config *config = NULL;
    int r = accepted_config_load(p->c->config, &config, e);

    if (r < 0)
        return r;
    if (pod_rules_annotations(config, &annotations) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if (p->watch && !strv_same(&annotations, &p->annotations))
        kubeapi_watch_relist(p->watch);
    config_free(p->config);
    strv_done(&p->annotations);
    p->config = TAKE_PTR(config);
    p->annotations = annotations;
    annotations = (struct strv){0};
    changed(p);
    return 0;
}

/* --- the loop -------------------------------------------------------------------------------------------------------
 */

static void on_signals(struct pods *p)
{
    struct signalfd_siginfo info;
    struct err e = {0};

    while (read(p->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            p->stopped = true;
        else if (info.ssi_signo == SIGHUP && load_config(p, &e) < 0)
            log_event(EVENT_NODE_REFUSED, LOG_STR("config", p->c->config), LOG_STR("error", e.msg));
    }
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_due(const struct pods *p)
{
    uint64_t due = least(least(p->apply_due_ms, p->write_due_ms), least(p->logs_due_ms, p->kubelet_due_ms));

    return p->watch ? least(due, kubeapi_watch_due_ms(p->watch)) : due;
}

static void wait_for_news(struct pods *p)
{
    struct pollfd fd[2 + KUBEAPI_WATCH_FDS] = {{.fd = p->signal_fd, .events = POLLIN},
                                               {.fd = p->logs ? pod_log_source_fd(p->logs) : -1, .events = POLLIN}};
    nfds_t count = 2 + (p->watch ? kubeapi_watch_fds(p->watch, fd + 2) : 0);
    struct err e = {0};

    if (poll(fd, count, wait_timeout(clock_mono_ms(), next_due(p))) < 0) {
        if (errno != EINTR)
            clock_sleep_ms(100); /* the kernel is out of memory */
        return;
    }
    on_signals(p);
    if (p->logs && fd[1].revents && pod_log_source_act(p->logs, &e) < 0)
        lose_logs(p, &e);
}

static void ask_kubelet(struct pods *p)
{
    p->kubelet_due_ms = clock_mono_ms() + KUBELET_EACH_MS;
    kubeapi_watch_relist(p->watch);
}

static void on_time(struct pods *p)
{
    uint64_t now = clock_mono_ms();

    if (now >= p->logs_due_ms)
        open_logs(p);
    if (p->watch && now >= p->kubelet_due_ms)
        ask_kubelet(p);
    if (p->watch)
        kubeapi_watch_act(p->watch);
    if (now >= p->write_due_ms || now >= p->apply_due_ms)
        write_table(p);
}

static void done(struct pods *p)
{
    kubeapi_watch_free(p->watch);
    kubeapi_free(p->api);
    pod_log_source_free(p->logs);
    pod_set_done(&p->set);
    strv_done(&p->annotations);
    config_free(p->config);
    if (p->signal_fd >= 0)
        close(p->signal_fd);
}

int pods_run(const struct pods_config *c, struct err *e)
{
    struct pods p = {.c = c,
                     .signal_fd = -1,
                     .kubelet_due_ms = c->kubelet ? 0 : UINT64_MAX,
                     .apply_due_ms = UINT64_MAX,
                     .write_due_ms = UINT64_MAX};
    struct launch_signals before;
    sigset_t waiting;
    int r;

    assert(c->config && c->out && c->pod_logs);
    launch_block_signals(&before, &waiting);
    p.signal_fd = signalfd(-1, &waiting, SFD_CLOEXEC | SFD_NONBLOCK);
    if (p.signal_fd < 0)
        return err_set(e, -errno, "signalfd: %s", strerror(errno));
    if ((r = load_config(&p, e)) == 0) {
        r = pod_set_load(&p.set, c->out);
        if (r < 0) /* it is made anew */
            log_event(EVENT_POD_SOURCE_FAILED, LOG_STR("source", "table"), LOG_STR("path", c->out),
                      LOG_STR("error", strerror(-r)));
        start_api(&p);
        for (r = 0; !p.stopped;) {
            on_time(&p);
            wait_for_news(&p);
        }
    }
    done(&p);
    return r;
}
