/* SPDX-License-Identifier: Apache-2.0
 *
 * The main thread waits for signals, one polls, and each request that runs has one.
 */
#include "node/requests.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "node/request_child.h"
#include "node/request_rules.h"

enum {
    STACK_BYTES = 512 * 1024,
    STEP_MS = 1000,
    REPORT_MS = 15 * 1000,         /* of one that works on: the server waits for a minute */
    WHOLE_MS = 2 * 60 * 60 * 1000, /* for one request */
    GRACE_MS = 8 * 1000,           /* of those that run when we end */
    FIRST_MS = 1000,
    MOST_MS = 60 * 1000 /* between tries to connect */
};

struct work {
    struct capture_offer offer;
    struct component_spec spec;
    struct request_child child;
};

struct requests {
    const struct requests_config *config;
    struct request_places places;
    struct request_rules *rules;
    struct request_client *client; /* of the thread that polls */
    struct capture_offers *offers;
    uint64_t after;
    bool connected;
    pthread_mutex_t lock;
    const struct work *running[REQUESTS_AT_ONCE]; /* NULL: free */
    unsigned count;
    atomic_bool stopping;
};

/* For threads, which outlive no requests_run. */
struct work_context {
    struct requests *r;
    struct work *w;
};

static void work_free(struct work *w)
{
    if (!w)
        return;
    component_spec_done(&w->spec);
    free(w);
}
DEFINE_CLEANUP(struct work *, work_free)

static void log_over(const struct capture_offer *o, const struct capture_report *report)
{
    log_event(EVENT_REQUEST_OVER, LOG_STR("id", o->id), LOG_STR("who", o->by), LOG_STR("namespace", o->order.namespace),
              LOG_STR("pod", o->order.pod), LOG_STR("what", capture_what_name(o->order.what)),
              LOG_STR("state", capture_state_name(report->state)), LOG_STR("node", report->node),
              LOG_STR("key", *report->url ? report->url : NULL), LOG_STR("error", *report->text ? report->text : NULL));
}

/* Evidence in the store of the server itself has a key there: what stands behind the server's address. */
static void set_key(const struct requests *r, struct capture_report *report)
{
    const char *base = r->config->client.url, *url = report->url;
    size_t size = strlen(base);

    *report->key = '\0';
    if (text_starts(url, base) && url[size] == '/' && strlen(url + size + 1) < CAPTURE_KEY_MAX)
        snprintf(report->key, sizeof(report->key), "%s", url + size + 1);
}

/* --- one request, in a thread of its own ----------------------------------------------------------------------------
 */

static void send_report(struct request_client *client, const char *id, const struct capture_report *report)
{
    struct err e = {0};
    int r = request_client_report(client, id, report, &e);

    if (r < 0)
        log_event(EVENT_REQUEST_NOT_REPORTED, LOG_STR("id", id), LOG_STR("fault", fault_find(r)->name),
                  LOG_STR("error", e.msg));
}

/* The server hears that it lives, and what it does now. Only this thread reaps the child, and so may signal it. */
static void follow(const struct requests *r, struct work *w, struct request_client *client)
{
    uint64_t begun_ms = clock_mono_ms(), reported_ms = 0;
    char said[CAPTURE_TEXT_MAX] = "-";
    bool asked = false;

    while (!request_child_wait(&w->child, clock_mono_ms() + STEP_MS)) {
        uint64_t now = clock_mono_ms();

        if (!asked && (atomic_load(&r->stopping) || now - begun_ms > WHOLE_MS)) {
            asked = true;
            kill(w->child.pid, SIGTERM);
        }
        if (now - reported_ms < REPORT_MS && text_eq(said, w->child.report.text))
            continue;
        memcpy(said, w->child.report.text, sizeof(said));
        reported_ms = now;
        send_report(client, w->offer.id, &w->child.report);
    }
}

/* Its place is free. */
static void leave(struct requests *r, const struct work *w)
{
    pthread_mutex_lock(&r->lock);
    for (unsigned i = 0; i < REQUESTS_AT_ONCE; i++)
        if (r->running[i] == w)
            r->running[i] = NULL;
    r->count--;
    pthread_mutex_unlock(&r->lock);
}

static int start_child(const struct requests *r, struct work *w, struct err *e)
{
    if (atomic_load(&r->stopping))
        return err_set(e, -FAULT_LATER, "the agent of this node is ending: ask again");
    return request_child_start(&w->spec, &w->child, e);
}

static void *run_work(void *ctx)
{
    struct work_context context = *(struct work_context *)ctx;
    struct work *w = context.w;
    CLEANUP(request_client_free_ptr) struct request_client *client = NULL;
    struct err e = {0};

    free(ctx);
    if (request_client_new(&context.r->config->client, &client, &e) < 0 || start_child(context.r, w, &e) < 0) {
        w->child.report.state = CAPTURE_FAILED;
        snprintf(w->child.report.text, sizeof(w->child.report.text), "%.*s", CAPTURE_TEXT_MAX - 1, e.msg);
    } else {
        follow(context.r, w, client);
    }
    set_key(context.r, &w->child.report);
    log_over(&w->offer, &w->child.report);
    if (client)
        send_report(client, w->offer.id, &w->child.report);
    leave(context.r, w);
    work_free(w);
    return NULL;
}

/* --- requests that come ---------------------------------------------------------------------------------------------
 */

/* A free place; false: all are taken. */
static bool enter(struct requests *r, struct work *w)
{
    bool entered = false;

    pthread_mutex_lock(&r->lock);
    for (unsigned i = 0; i < REQUESTS_AT_ONCE && !entered; i++) {
        if (!r->running[i]) {
            r->running[i] = w;
            r->count++;
            entered = true;
        }
    }
    pthread_mutex_unlock(&r->lock);
    return entered;
}

static int start_thread(struct requests *r, struct work *w, struct err *e)
{
    struct work_context *context = malloc(sizeof(*context));
    pthread_t thread;
    int result;

    if (!context)
        return err_set(e, -ENOMEM, "out of memory");
    *context = (struct work_context){r, w};
    if (!enter(r, w)) {
        free(context);
        return err_set(e, -FAULT_BUSY, "the agent of this node works on %d requests already: ask again",
                       REQUESTS_AT_ONCE);
    }
    if ((result = thread_start(&thread, STACK_BYTES, run_work, context)) < 0) {
        free(context);
        leave(r, w);
        return err_set(e, result, "no thread can be started: %s", strerror(-result));
    }
    pthread_detach(thread);
    return 0;
}

/* 0: it runs now; or why not. */
static int begin(struct requests *r, const struct request_pod *pod, const struct capture_offer *o, struct err *e)
{
    CLEANUP(work_free_ptr) struct work *w = calloc(1, sizeof(*w));
    struct request_process process;
    int result;

    if (!w)
        return err_set(e, -ENOMEM, "out of memory");
    w->offer = *o;
    snprintf(w->child.report.node, sizeof(w->child.report.node), "%s", r->config->client.node);
    if (request_child_command(&w->spec) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if ((result = request_rules_find(r->rules, pod, o->order.namespace, &w->spec, e)) < 0 ||
        (result = request_process_find("/proc", pod, &o->order, &process, e)) < 0)
        return result;
    if (request_child_process(&process, &o->order, &w->spec) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if ((result = start_thread(r, w, e)) < 0)
        return result;
    w = NULL; /* the thread's now */
    return 0;
}

/* 0: dealt with, or not ours; negative: the server can't be told. */
static int consider(struct requests *r, const struct capture_offer *o, struct err *e)
{
    CLEANUP_FREE struct capture_report *report = calloc(1, sizeof(*report));
    struct request_pod pod = {0};
    struct err why = {0};
    int result;

    if (!report)
        return err_set(e, -ENOMEM, "out of memory");
    if (request_pod_find(&r->places, &o->order, &pod) <= 0)
        return 0;
    report->state = CAPTURE_TAKEN;
    snprintf(report->node, sizeof(report->node), "%s", r->config->client.node);
    if ((result = request_client_report(r->client, o->id, report, e)) < 0)
        return result == -ENOENT || result == -FAULT_EXISTS ? 0 : result;
    log_event(EVENT_REQUEST_TAKEN, LOG_STR("id", o->id), LOG_STR("who", o->by),
              LOG_STR("namespace", o->order.namespace), LOG_STR("pod", o->order.pod),
              LOG_STR("container", *o->order.container ? o->order.container : NULL),
              LOG_STR("what", capture_what_name(o->order.what)));
    if (begin(r, &pod, o, &why) == 0)
        return 0;
    report->state = CAPTURE_FAILED;
    snprintf(report->text, sizeof(report->text), "%.*s", CAPTURE_TEXT_MAX - 1, why.msg);
    log_over(o, report);
    result = request_client_report(r->client, o->id, report, e);
    return result == -ENOENT || result == -FAULT_EXISTS ? 0 : result;
}

static int poll_once(struct requests *r, struct capture_offers *offers, struct err *e)
{
    int result = request_client_poll(r->client, r->after, r->connected, offers, e);

    for (unsigned i = 0; i < offers->count && result == 0; i++) {
        if (offers->item[i].number > r->after)
            r->after = offers->item[i].number;
        result = consider(r, &offers->item[i], e);
    }
    return result;
}

/* The same error is said once. */
static void say(const struct requests *r, char said[sizeof(((struct err *)0)->msg)], int result, const struct err *e)
{
    const char *now = result < 0 ? e->msg : "";

    if (text_eq(said, now))
        return;
    snprintf(said, sizeof(e->msg), "%s", now);
    if (result < 0)
        log_event(EVENT_REQUESTS_UNREACHABLE, LOG_STR("server", r->config->client.url),
                  LOG_STR("fault", fault_find(result)->name), LOG_STR("error", e->msg));
    else
        log_event(EVENT_REQUESTS_READY, LOG_STR("server", r->config->client.url),
                  LOG_STR("node", r->config->client.node));
}

static void *poll_all(void *ctx)
{
    struct requests *r = ctx;
    struct backoff backoff = {.first_ms = FIRST_MS, .most_ms = MOST_MS};
    char said[sizeof(((struct err *)0)->msg)] = "-";
    struct capture_offers *offers = r->offers;

    while (!atomic_load(&r->stopping)) {
        struct err e = {0};
        int result;

        offers->count = 0;
        result = poll_once(r, offers, &e);
        say(r, said, result, &e);
        r->connected = result == 0;
        if (result == 0) {
            backoff.tries = 0;
            continue;
        }
        r->after = 0; /* another server may count otherwise; what runs here is no longer offered */
        clock_sleep_ms(backoff_next(&backoff, e.retry_after_ms));
    }
    return NULL;
}

/* --- start and end --------------------------------------------------------------------------------------------------
 */

/* Those that run are asked to end, and report that. */
static void stop(struct requests *r)
{
    uint64_t until = clock_mono_ms() + GRACE_MS;
    unsigned count = 1;

    atomic_store(&r->stopping, true);
    while (count > 0 && clock_mono_ms() < until) {
        pthread_mutex_lock(&r->lock);
        count = r->count;
        pthread_mutex_unlock(&r->lock);
        if (count > 0)
            clock_sleep_ms(50);
    }
}

static int open_parts(struct requests *r, struct err *e)
{
    int result;

    if (r->config->pods && pod_table_open(r->config->pods, &r->places.table) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if (!(r->offers = calloc(1, sizeof(*r->offers))))
        return err_set(e, -ENOMEM, "out of memory");
    r->places.pod_logs = r->config->pod_logs;
    if ((result = request_rules_open(r->config->config, r->config->log, &r->rules, e)) < 0)
        return result;
    return request_client_new(&r->config->client, &r->client, e);
}

int requests_run(const struct requests_config *config, struct err *e)
{
    /* Threads use it until the process ends. */
    static struct requests r = {.lock = PTHREAD_MUTEX_INITIALIZER};
    sigset_t signals;
    pthread_t thread;
    int result, number;

    assert(config->config && config->pod_logs && !r.config);
    r.config = config;
    if ((result = open_parts(&r, e)) < 0)
        return result;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if ((result = thread_start(&thread, STACK_BYTES, poll_all, &r)) < 0)
        return err_set(e, result, "no thread can be started: %s", strerror(-result));
    while (sigwait(&signals, &number) != 0)
        ;
    stop(&r);
    return 0;
}
