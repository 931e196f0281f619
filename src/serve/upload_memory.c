/* SPDX-License-Identifier: Apache-2.0
 *
 * A count and a condition. Those who wait are not in line: a small upload may pass a large one, which waits for more.
 */
#include "serve/upload_memory.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/fault.h"

struct upload_memory {
    uint64_t all;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t released;
    uint64_t left;
};

struct upload_memory *upload_memory_new(uint64_t bytes)
{
    struct upload_memory *m = calloc(1, sizeof(*m));
    pthread_condattr_t attr;

    if (!m)
        return NULL;
    m->all = m->left = bytes;
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&m->released, &attr);
    pthread_condattr_destroy(&attr);
    return m;
}

void upload_memory_free(struct upload_memory *m)
{
    if (!m)
        return;
    pthread_cond_destroy(&m->released);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

int upload_memory_claim(struct upload_memory *m, uint64_t bytes, uint64_t wait_ms)
{
    struct timespec until;
    int r = 0;

    if (bytes > m->all)
        bytes = m->all;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ms / 1000);
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&m->lock);
    while (m->left < bytes && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&m->released, &m->lock, &until);
    r = m->left < bytes ? -FAULT_BUSY : 0;
    if (r == 0)
        m->left -= bytes;
    pthread_mutex_unlock(&m->lock);
    return r;
}

void upload_memory_release(struct upload_memory *m, uint64_t bytes)
{
    pthread_mutex_lock(&m->lock);
    m->left += bytes > m->all ? m->all : bytes;
    assert(m->left <= m->all);
    pthread_cond_broadcast(&m->released);
    pthread_mutex_unlock(&m->lock);
}
