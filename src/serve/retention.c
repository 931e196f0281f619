/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread that mostly sleeps. Several servers over one bucket may do the same: what is gone counts as removed.
 */
#include "serve/retention.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "linux/volume.h"
#include "ship/case_remove.h"
#include "ship/case_suspect_read.h"
#include "ship/retain_plan.h"

enum { EVERY_MS = 3600 * 1000, SOON_MS = 5 * 1000, STACK_BYTES = 512 * 1024 };

struct retention {
    struct retention_config config;
    pthread_t thread;
    uint64_t wait_ms;     /* the thread's: 0 before the first pass */
    pthread_mutex_t lock; /* for the fields below */
    pthread_cond_t wake;
    bool stop, now;
};

static uint64_t free_bytes(const struct retention *r)
{
    uint64_t size, left;

    return r->config.root_fd >= 0 && volume_space(r->config.root_fd, &size, &left) == 0 ? left : UINT64_MAX;
}

static bool is_stopping(struct retention *r)
{
    bool stop;

    pthread_mutex_lock(&r->lock);
    stop = r->stop;
    pthread_mutex_unlock(&r->lock);
    return stop;
}

static int remove_case(struct retention *r, struct sink *sink, const struct listed_case *c, struct err *e)
{
    CLEANUP(case_objects_done) struct case_objects objects = {0};
    char reason[RETAIN_REASON_MAX];
    int result = case_objects_list(sink, c->id, c->folder, &objects, e);

    if (result == 0)
        result = case_remove(sink, &objects.keys, r->config.removed, r->config.ctx, e);
    if (result == 0)
        log_event(EVENT_CASE_REMOVED, LOG_STR("case", c->id), LOG_UINT("bytes", objects.bytes),
                  LOG_UINT("objects", objects.keys.count), LOG_STR("reason", retain_reason(c, reason)));
    return result;
}

struct asking {
    struct retention *retention;
    struct sink *sink;
    int result; /* the first failure */
    struct err *e;
};

static void find_suspect(void *ctx, const struct listed_case *c, char out[SUSPECT_MAX])
{
    struct asking *a = ctx;
    int r;

    if (a->result < 0 || is_stopping(a->retention) ||
        a->retention->config.suspect(a->retention->config.ctx, c->id, out) == 1)
        return;
    r = case_suspect_read(a->sink, c->id, c->folder, out, a->e);
    if (r < 0 && r != -FAULT_DENIED) /* without rights the ends of loops are kept */
        a->result = r;
}

static int remove_from(struct retention *r, struct sink *sink, struct err *e)
{
    CLEANUP(case_list_done) struct case_list cases = {0};
    int result = case_list_read(&cases, sink, e);

    if (result < 0)
        return result;
    struct asking asking = {r, sink, 0, e};
    const struct retain_now now = {clock_wall_ns(), free_bytes(r), find_suspect, &asking};

    if (retain_plan(&cases, r->config.policy, &now) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    result = asking.result; /* what is not known might be the last case of its suspect */
    for (size_t i = 0; result == 0 && i < cases.count && !is_stopping(r); i++)
        if (cases.item[i].reason != CASE_STAYS)
            result = remove_case(r, sink, &cases.item[i], e);
    return result;
}

static void pass(struct retention *r)
{
    struct sink *sink = NULL;
    struct err e = {0};
    int result = sink_open(r->config.store, &sink, &e);

    if (result == 0)
        result = remove_from(r, sink, &e);
    sink_close(sink);
    malloc_trim(0); /* the names of a large store */
    if (result < 0)
        log_event(EVENT_RETENTION_FAILED, LOG_STR("fault", fault_find(result)->name), LOG_STR("error", e.msg));
}

/* Until the next pass is due; one that is asked for comes at most every SOON_MS. False: to stop. */
static bool wait_for_next(struct retention *r, uint64_t soon_ms, uint64_t due_ms)
{
    bool go;

    pthread_mutex_lock(&r->lock);
    for (;;) {
        uint64_t until_ms = r->now && soon_ms < due_ms ? soon_ms : due_ms;
        struct timespec at = {.tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000};

        if (r->stop || clock_left_ms(until_ms) == 0)
            break;
        pthread_cond_timedwait(&r->wake, &r->lock, &at);
    }
    r->now = false;
    go = !r->stop;
    pthread_mutex_unlock(&r->lock);
    return go;
}

static void *run(void *ctx)
{
    struct retention *r = ctx;
    uint64_t now_ms = clock_mono_ms();

    while (wait_for_next(r, now_ms + SOON_MS, now_ms + r->wait_ms)) {
        pass(r);
        r->wait_ms = r->config.every_ms ? r->config.every_ms : EVERY_MS;
        now_ms = clock_mono_ms();
    }
    return NULL;
}

int retention_start(const struct retention_config *config, struct retention **ret, struct err *e)
{
    CLEANUP_FREE struct retention *r = calloc(1, sizeof(*r));
    pthread_condattr_t by_mono;
    int result;

    assert(config->policy->count > 0 && config->removed && config->suspect);
    if (!r)
        return err_set(e, -ENOMEM, "out of memory");
    r->config = *config;
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&by_mono);
    pthread_condattr_setclock(&by_mono, CLOCK_MONOTONIC);
    pthread_cond_init(&r->wake, &by_mono);
    pthread_condattr_destroy(&by_mono);
    if ((result = thread_start(&r->thread, STACK_BYTES, run, r)) < 0)
        return err_set(e, result, "cannot start a thread: %s", strerror(-result));
    *ret = TAKE_PTR(r);
    return 0;
}

void retention_stored(struct retention *r)
{
    const struct retain_rule *general = retain_rule_general(r->config.policy);

    if (!general || general->limits.free == 0 || free_bytes(r) >= general->limits.free)
        return;
    pthread_mutex_lock(&r->lock);
    r->now = true;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
}

void retention_stop(struct retention *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
