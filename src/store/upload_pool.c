/* SPDX-License-Identifier: Apache-2.0
 *
 * One lock, a short ring of parts, and three conditions.
 */
#include "store/upload_pool.h"

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
    unsigned busy;    /* lanes at work */
    unsigned started; /* threads */
    bool stopped, closing;
    pthread_t thread[UPLOAD_POOL_MAX];
};

int upload_pool_new(unsigned count, const struct upload_pool_ops *ops, void *ctx, struct upload_pool **ret)
{
    struct upload_pool *l = calloc(1, sizeof(*l));
    pthread_condattr_t attr;

    if (!l)
        return -ENOMEM;
    l->ops = ops;
    l->ctx = ctx;
    l->count = count < 1 ? 1 : count > UPLOAD_POOL_MAX ? UPLOAD_POOL_MAX : count;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->todo, NULL);
    pthread_cond_init(&l->room, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&l->stop, &attr);
    pthread_condattr_destroy(&attr);
    *ret = l;
    return 0;
}

static void *lane(void *arg)
{
    struct upload_pool *l = arg;
    void *own = NULL;

    pthread_mutex_lock(&l->lock);
    for (;;) {
        struct part *p;

        while (l->queued == 0 && !l->closing)
            pthread_cond_wait(&l->todo, &l->lock);
        if (l->queued == 0)
            break;
        p = l->queue[l->first];
        l->first = (l->first + 1) % UPLOAD_POOL_MAX;
        l->queued--;
        l->busy++;
        pthread_mutex_unlock(&l->lock);
        l->ops->work(l->ctx, &own, p);
        pthread_mutex_lock(&l->lock);
        l->busy--;
        pthread_cond_broadcast(&l->room);
    }
    pthread_mutex_unlock(&l->lock);
    if (own)
        l->ops->close(own);
    return NULL;
}

static int start(struct upload_pool *l)
{
    int r = thread_start(&l->thread[l->started], STACK_SIZE, lane, l);

    if (r == 0)
        l->started++;
    return r;
}

int upload_pool_put(struct upload_pool *l, struct part *p)
{
    int r = 0;

    pthread_mutex_lock(&l->lock);
    while (l->queued + l->busy >= l->count && !l->stopped)
        pthread_cond_wait(&l->room, &l->lock);
    if (l->stopped)
        r = -ECANCELED;
    else if (l->started < l->count && l->queued + l->busy >= l->started && (r = start(l)) < 0 && l->started > 0)
        r = 0; /* fewer lanes do it too */
    if (r == 0) {
        l->queue[(l->first + l->queued++) % UPLOAD_POOL_MAX] = p;
        pthread_cond_signal(&l->todo);
    }
    pthread_mutex_unlock(&l->lock);
    return r;
}

void upload_pool_drain(struct upload_pool *l)
{
    pthread_mutex_lock(&l->lock);
    while (l->queued + l->busy > 0)
        pthread_cond_wait(&l->room, &l->lock);
    pthread_mutex_unlock(&l->lock);
}

void upload_pool_stop(struct upload_pool *l)
{
    pthread_mutex_lock(&l->lock);
    l->stopped = true;
    pthread_cond_broadcast(&l->stop);
    pthread_cond_broadcast(&l->room);
    pthread_mutex_unlock(&l->lock);
}

bool upload_pool_stopped(struct upload_pool *l)
{
    bool stopped;

    pthread_mutex_lock(&l->lock);
    stopped = l->stopped;
    pthread_mutex_unlock(&l->lock);
    return stopped;
}

int upload_pool_wait(struct upload_pool *l, uint64_t delay_ms)
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
    pthread_mutex_lock(&l->lock);
    while (!l->stopped && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&l->stop, &l->lock, &until);
    r = l->stopped ? -ECANCELED : 0;
    pthread_mutex_unlock(&l->lock);
    return r;
}

void upload_pool_free(struct upload_pool *l)
{
    if (!l)
        return;
    upload_pool_stop(l);
    pthread_mutex_lock(&l->lock);
    l->closing = true;
    pthread_cond_broadcast(&l->todo);
    pthread_mutex_unlock(&l->lock);
    for (unsigned i = 0; i < l->started; i++)
        pthread_join(l->thread[i], NULL);
    pthread_cond_destroy(&l->todo);
    pthread_cond_destroy(&l->room);
    pthread_cond_destroy(&l->stop);
    pthread_mutex_destroy(&l->lock);
    free(l);
}
