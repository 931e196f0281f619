/* SPDX-License-Identifier: Apache-2.0
 *
 * Two tables and a condition that all wait for: requests are few.
 */
#include "serve/captures.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/capture_agents.h"

enum {
    DECLINED_MS = 5 * 1000,   /* a pod that has just begun may not be known to its agent yet */
    SILENT_MS = 60 * 1000,    /* an agent that works reports at least every 15 s */
    KEPT_MS = 60 * 60 * 1000, /* after the end */
    STEP_MS = 1000            /* those who wait see in this time that a deadline has passed */
};

struct capture {
    struct capture_view view;
    uint64_t asked_ms, changed_ms;
    bool over;
};

struct captures {
    struct captures_config config;
    char *store_url; /* owned; NULL: unknown */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct capture **item; /* the oldest first; owned */
    size_t count, capacity;
    size_t open; /* of them, that are not over */
    struct capture_agents agents;
    uint64_t last_number;
    bool stopping;
};

DEFINE_CLEANUP(struct captures *, captures_free)

int captures_new(const struct captures_config *config, struct captures **ret)
{
    CLEANUP(captures_free_ptr) struct captures *c = calloc(1, sizeof(*c));
    pthread_condattr_t monotonic;

    assert(config && ret);
    if (!c)
        return -ENOMEM;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    c->config = *config;
    if (!c->config.clock_ms)
        c->config.clock_ms = clock_mono_ms;
    if (!c->config.take_ms)
        c->config.take_ms = CAPTURE_TAKE_MS;
    if (config->store_url && !(c->store_url = strdup(config->store_url)))
        return -ENOMEM;
    *ret = TAKE_PTR(c);
    return 0;
}

void captures_stop(struct captures *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void captures_free(struct captures *c)
{
    if (!c)
        return;
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    while (c->count > 0)
        free(c->item[--c->count]);
    free(c->item);
    capture_agents_done(&c->agents);
    free(c->store_url);
    free(c);
}

/* All below with the lock. */

static uint64_t now_ms(const struct captures *c)
{
    return c->config.clock_ms();
}

/* Until something changes, or a deadline may have passed. */
static void wait_for_change(struct captures *c, uint64_t until_ms)
{
    uint64_t left = until_ms - now_ms(c);
    struct timespec until;

    if (c->open > 0 && left > STEP_MS)
        left = STEP_MS;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(left % 1000) * 1000000;
    until.tv_sec += (time_t)(left / 1000) + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&c->changed, &c->lock, &until);
}

static void change(struct captures *c, struct capture *one)
{
    one->view.version++;
    one->changed_ms = now_ms(c);
    pthread_cond_broadcast(&c->changed);
}

static void end(struct captures *c, struct capture *one)
{
    const struct capture_view *v = &one->view;

    one->over = true;
    c->open--;
    change(c, one);
    log_event(
        EVENT_REQUEST_OVER, LOG_STR("id", v->offer.id), LOG_STR("who", v->offer.by),
        LOG_STR("namespace", v->offer.order.namespace), LOG_STR("pod", v->offer.order.pod),
        LOG_STR("what", capture_what_name(v->offer.order.what)), LOG_STR("state", capture_state_name(v->report.state)),
        LOG_STR("node", *v->report.node ? v->report.node : NULL), LOG_STR("key", *v->report.key ? v->report.key : NULL),
        LOG_STR("error", v->report.state == CAPTURE_FAILED ? v->report.text : NULL));
}

__attribute__((format(printf, 3, 4))) static void fail(struct captures *c, struct capture *one, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(one->view.report.text, sizeof(one->view.report.text), format, args);
    va_end(args);
    one->view.report.state = CAPTURE_FAILED;
    end(c, one);
}

static void check_queued(struct captures *c, struct capture *one, uint64_t now)
{
    uint64_t age = now - one->asked_ms;
    const struct capture_order *o = &one->view.offer.order;
    unsigned agents = capture_agents_count(&c->agents, now);

    if (age < c->config.take_ms &&
        (age < DECLINED_MS || agents == 0 || !capture_agents_have_seen(&c->agents, one->view.offer.number, now)))
        return;
    if (agents == 0)
        fail(c, one, "no agent of a node is connected to this server (docs/node.md, \"requests\")");
    else
        fail(c, one,
             "no agent has a pod %s in the namespace %s: %u node%s asked. Is the pod running, is the agent of that "
             "node connected, and does one of its rules fit the pod?",
             o->pod, o->namespace, agents, agents == 1 ? " was" : "s were");
}

static void check_deadlines(struct captures *c)
{
    uint64_t now = now_ms(c);

    for (size_t i = 0; i < c->count; i++) {
        struct capture *one = c->item[i];

        if (one->over)
            continue;
        if (one->view.report.state == CAPTURE_QUEUED)
            check_queued(c, one, now);
        else if (now - one->changed_ms >= SILENT_MS)
            fail(c, one, "the agent of node %s, which took it, no longer reports", one->view.report.node);
    }
}

static void drop(struct captures *c, size_t i)
{
    free(c->item[i]);
    c->count--;
    memmove(&c->item[i], &c->item[i + 1], (c->count - i) * sizeof(struct capture *));
}

/* What is over for long, and more of it if there is no room. */
static void forget(struct captures *c)
{
    uint64_t now = now_ms(c);

    for (size_t i = c->count; i-- > 0;)
        if (c->item[i]->over && now - c->item[i]->changed_ms >= KEPT_MS)
            drop(c, i);
    for (size_t i = 0; i < c->count && c->count >= CAPTURES_MAX;)
        if (c->item[i]->over)
            drop(c, i);
        else
            i++;
}

static struct capture *find(struct captures *c, const char *id)
{
    for (size_t i = 0; i < c->count; i++)
        if (text_eq(c->item[i]->view.offer.id, id))
            return c->item[i];
    return NULL;
}

static int check_limits(const struct captures *c, const struct capture_order *order, const char *by, struct err *e)
{
    unsigned of_namespace = 0, of_person = 0;

    for (size_t i = 0; i < c->count; i++) {
        const struct capture_offer *o = &c->item[i]->view.offer;
        bool same = text_eq(o->order.namespace, order->namespace);

        if (c->item[i]->over)
            continue;
        of_namespace += same;
        of_person += text_eq(o->by, by);
        if (same && text_eq(o->order.pod, order->pod))
            return err_set(e, -FAULT_BUSY, "another request for the pod %s is not over: one at a time", order->pod);
    }
    if (of_person >= CAPTURES_OF_PERSON)
        return err_set(e, -FAULT_BUSY, "%u of your requests are not over: wait for one of them", of_person);
    if (of_namespace >= CAPTURES_OF_NAMESPACE)
        return err_set(e, -FAULT_BUSY, "%u requests of the namespace %s are not over", of_namespace, order->namespace);
    return c->open >= CAPTURES_OPEN_MAX ? err_set(e, -FAULT_BUSY, "%zu requests are not over", c->open) : 0;
}

/* Numbers grow also over a restart, if the clock does: agents remember the last one that they saw. */
static uint64_t next_number(struct captures *c)
{
    uint64_t ms = (uint64_t)(clock_wall_ns() / 1000000);

    c->last_number = ms > c->last_number ? ms : c->last_number + 1;
    return c->last_number;
}

static int add(struct captures *c, const struct capture_order *order, const char *by, char ret_id[CAPTURE_ID_MAX],
               struct err *e)
{
    unsigned char chance[(CAPTURE_ID_MAX - 1) / 2];
    struct capture *one;
    int r;

    if ((r = check_limits(c, order, by, e)) < 0)
        return r;
    if (getrandom(chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
        return err_set(e, -EIO, "getrandom: %s", strerror(errno));
    if (array_reserve(&c->item, c->count + 1, &c->capacity, sizeof(struct capture *), CAPTURES_MAX) < 0 ||
        !(one = calloc(1, sizeof(*one))))
        return err_set(e, -ENOMEM, "out of memory");
    text_hex(chance, sizeof(chance), one->view.offer.id);
    one->view.offer.number = next_number(c);
    snprintf(one->view.offer.by, sizeof(one->view.offer.by), "%s", by);
    one->view.offer.order = *order;
    one->view.report.state = CAPTURE_QUEUED;
    one->asked_ms = now_ms(c);
    c->item[c->count++] = one;
    c->open++;
    change(c, one);
    memcpy(ret_id, one->view.offer.id, CAPTURE_ID_MAX);
    return 0;
}

int captures_add(struct captures *c, const struct capture_order *order, const char *by, char ret_id[CAPTURE_ID_MAX],
                 struct err *e)
{
    char name[CAPTURE_BY_MAX];
    int r;

    assert(c && order && by && ret_id);
    snprintf(name, sizeof(name), "%s", by);
    pthread_mutex_lock(&c->lock);
    check_deadlines(c);
    forget(c);
    r = add(c, order, name, ret_id, e);
    pthread_mutex_unlock(&c->lock);
    return r;
}

int captures_wait(struct captures *c, const char *id, uint64_t seen, uint64_t until_ms, struct capture_view *ret)
{
    struct capture *one;

    assert(c && id && ret);
    pthread_mutex_lock(&c->lock);
    for (;;) {
        check_deadlines(c);
        one = find(c, id);
        if (!one || one->over || (seen > 0 && one->view.version != seen) || c->stopping || now_ms(c) >= until_ms)
            break;
        wait_for_change(c, until_ms);
    }
    if (one) {
        *ret = one->view;
        ret->age_ms = now_ms(c) - one->asked_ms;
    }
    pthread_mutex_unlock(&c->lock);
    return one ? 0 : -ENOENT;
}

static void collect(const struct captures *c, const struct capture_agent *a, struct capture_offers *ret)
{
    for (size_t i = 0; i < c->count && ret->count < CAPTURE_OFFERS_MAX; i++) {
        const struct capture_view *v = &c->item[i]->view;

        if (!c->item[i]->over && v->report.state == CAPTURE_QUEUED && v->offer.number > a->after &&
            a->may(a->ctx, v->offer.order.namespace))
            ret->item[ret->count++] = v->offer;
    }
}

int captures_offer(struct captures *c, const struct capture_agent *a, struct capture_offers *ret, struct err *e)
{
    int r;

    assert(c && a && a->node && a->may && ret);
    ret->count = 0;
    pthread_mutex_lock(&c->lock);
    while ((r = capture_agents_note(&c->agents, a->node, a->after, now_ms(c))) == 0) {
        check_deadlines(c);
        collect(c, a, ret);
        if (ret->count > 0 || c->stopping || now_ms(c) >= a->until_ms)
            break;
        wait_for_change(c, a->until_ms);
    }
    pthread_mutex_unlock(&c->lock);
    return r < 0 ? err_set(e, -FAULT_BUSY, "too many agents") : 0;
}

static void take_report(struct captures *c, struct capture *one, const struct capture_report *report)
{
    one->view.report = *report;
    if (!*report->key && c->store_url && text_starts(report->url, c->store_url) &&
        strlen(report->url + strlen(c->store_url)) < CAPTURE_KEY_MAX)
        snprintf(one->view.report.key, CAPTURE_KEY_MAX, "%s", report->url + strlen(c->store_url));
    if (report->state == CAPTURE_TAKEN)
        change(c, one);
    else
        end(c, one);
}

int captures_report(struct captures *c, const char *id, const struct capture_report *report,
                    bool (*may)(void *ctx, const char *namespace), void *ctx)
{
    struct capture *one;
    int r = 0;

    assert(c && id && report && report->state != CAPTURE_QUEUED && may);
    pthread_mutex_lock(&c->lock);
    check_deadlines(c);
    one = find(c, id);
    if (!one || !may(ctx, one->view.offer.order.namespace))
        r = -ENOENT;
    else if (one->over || (one->view.report.state == CAPTURE_TAKEN && !text_eq(one->view.report.node, report->node)))
        r = -FAULT_EXISTS;
    else
        take_report(c, one, report);
    pthread_mutex_unlock(&c->lock);
    return r;
}

unsigned captures_agents(struct captures *c)
{
    unsigned count;

    pthread_mutex_lock(&c->lock);
    count = capture_agents_count(&c->agents, now_ms(c));
    pthread_mutex_unlock(&c->lock);
    return count;
}
