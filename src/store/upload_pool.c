/* SPDX-License-Identifier: Apache-2.0
 *
 * One lock, a short ring of parts, and three conditions.
 */
#include "store/upload_pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/thread.h"

enum { STACK_SIZE = 512 * 1024 };

struct upload_pool {
    const struct upload_pool_ops *ops;
    void *ctx;
    unsigned count;

    pthread_mutex_t lock;
    pthread_cond_t todo, room, stop;
    struct part *queue[UPLOAD_POOL_MAX]; /* from first, queued of them */
    unsigned first, queued;
    unsigned busy;    /* threads at work */
    unsigned started; /* threads */
    bool stopped, closing;
    pthread_t thread[UPLOAD_POOL_MAX];
};

int upload_pool_new(unsigned count, const struct upload_pool_ops *ops, void *ctx, struct upload_pool **ret)
{
    assert(ops->work && ret);
    struct upload_pool *pool = calloc(1, sizeof(*pool));
    pthread_condattr_t attr;

    if (!pool)
        return -ENOMEM;
    pool->ops = ops;
    pool->ctx = ctx;
    pool->count = count < 1 ? 1 : count > UPLOAD_POOL_MAX ? UPLOAD_POOL_MAX : count;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->todo, NULL);
    pthread_cond_init(&pool->room, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->stop, &attr);
    pthread_condattr_destroy(&attr);
    *ret = pool;
    return 0;
}

static void *run_thread(void *arg)
{
    struct upload_pool *pool = arg;
    void *connection = NULL;

    pthread_mutex_lock(&pool->lock);
    for (;;) {
        struct part *p;

        while (pool->queued == 0 && !pool->closing)
            pthread_cond_wait(&pool->todo, &pool->lock);
        if (pool->queued == 0)
            break;
        p = pool->queue[pool->first];
        pool->first = (pool->first + 1) % UPLOAD_POOL_MAX;
        pool->queued--;
        pool->busy++;
        pthread_mutex_unlock(&pool->lock);
        pool->ops->work(pool->ctx, &connection, p);
        pthread_mutex_lock(&pool->lock);
        pool->busy--;
        pthread_cond_broadcast(&pool->room);
    }
    pthread_mutex_unlock(&pool->lock);
    if (connection)
        pool->ops->close(connection);
    return NULL;
}

static int start(struct upload_pool *pool)
{
    int r = thread_start(&pool->thread[pool->started], STACK_SIZE, run_thread, pool);

    if (r == 0)
        pool->started++;
    return r;
}

int upload_pool_put(struct upload_pool *pool, struct part *p)
{
    int r = 0;

    assert(p);
    pthread_mutex_lock(&pool->lock);
    while (pool->queued + pool->busy >= pool->count && !pool->stopped)
        pthread_cond_wait(&pool->room, &pool->lock);
    if (pool->stopped)
        r = -ECANCELED;
    else if (pool->started < pool->count && pool->queued + pool->busy >= pool->started && (r = start(pool)) < 0 &&
             pool->started > 0)
        r = 0; /* fewer threads do it too */
    if (r == 0) {
        pool->queue[(pool->first + pool->queued++) % UPLOAD_POOL_MAX] = p;
        pthread_cond_signal(&pool->todo);
    }
    pthread_mutex_unlock(&pool->lock);
    return r;
}

void upload_pool_drain(struct upload_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->queued + pool->busy > 0)
        pthread_cond_wait(&pool->room, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void upload_pool_stop(struct upload_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stopped = true;
    pthread_cond_broadcast(&pool->stop);
    pthread_cond_broadcast(&pool->room);
    pthread_mutex_unlock(&pool->lock);
}

bool upload_pool_stopped(struct upload_pool *pool)
{
    bool stopped;

    pthread_mutex_lock(&pool->lock);
    stopped = pool->stopped;
    pthread_mutex_unlock(&pool->lock);
    return stopped;
}

int upload_pool_wait(struct upload_pool *pool, uint64_t delay_ms)
{
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(delay_ms / 1000);
    until.tv_nsec += (long)(delay_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&pool->lock);
    while (!pool->stopped && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&pool->stop, &pool->lock, &until);
    r = pool->stopped ? -ECANCELED : 0;
    pthread_mutex_unlock(&pool->lock);
    return r;
}

void upload_pool_free(struct upload_pool *pool)
{
    if (!pool)
        return;
    upload_pool_stop(pool);
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->todo);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->started; i++)
        pthread_join(pool->thread[i], NULL);
    pthread_cond_destroy(&pool->todo);
    pthread_cond_destroy(&pool->room);
    pthread_cond_destroy(&pool->stop);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
