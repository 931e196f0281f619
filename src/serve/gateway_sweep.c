/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread, which waits most of the time.
 */
#include "serve/gateway_sweep.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/thread.h"

enum { STACK_BYTES = 512 * 1024, EVERY_S = 6 * 3600, AGE_S = 7 * 24 * 3600, NS_PER_S = 1000000000 };

struct gateway_sweep {
    struct sink_pool *sinks;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_bool stopping; /* set with the lock held */
};

static bool is_ours(void *ctx, const char *key)
{
    const struct gateway_sweep *w = ctx;

    (void)key; /* whatever lies below the prefix */
    return !atomic_load(&w->stopping);
}

static void sweep(struct gateway_sweep *w)
{
    const struct upload_sweep which = {
        .before_ns = clock_wall_ns() - (int64_t)AGE_S * NS_PER_S, .mine = is_ours, .ctx = w};
    struct sink *s = NULL;
    struct err e = {0};
    unsigned count = 0;
    int r = sink_pool_take(w->sinks, &s, &e);

    if (r == 0 && s->ops->sweep)
        r = s->ops->sweep(s, &which, &count, &e);
    sink_pool_give(w->sinks, s);
    if (r < 0)
        log_event(EVENT_GATEWAY_FAILED, LOG_STR("key", NULL), LOG_STR("fault", fault_find(r)->name),
                  LOG_STR("error", e.msg));
    if (count > 0)
        log_event(EVENT_ABORTED_UPLOAD, LOG_UINT("count", count));
}

static void *run(void *ctx)
{
    struct gateway_sweep *w = ctx;

    while (!atomic_load(&w->stopping)) {
        struct timespec until;
        int r = 0;

        sweep(w);
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += EVERY_S;
        pthread_mutex_lock(&w->lock);
        while (r == 0 && !atomic_load(&w->stopping))
            r = pthread_cond_timedwait(&w->changed, &w->lock, &until);
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

static void sweep_free(struct gateway_sweep *w)
{
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

struct gateway_sweep *gateway_sweep_start(struct sink_pool *sinks)
{
    struct gateway_sweep *w = calloc(1, sizeof(*w));
    pthread_condattr_t attr;

    if (!w)
        return NULL;
    w->sinks = sinks;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (thread_start(&w->thread, STACK_BYTES, run, w) < 0) {
        sweep_free(w);
        return NULL;
    }
    return w;
}

void gateway_sweep_stop(struct gateway_sweep *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    atomic_store(&w->stopping, true);
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    sweep_free(w);
}
