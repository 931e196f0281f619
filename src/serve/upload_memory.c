/* SPDX-License-Identifier: Apache-2.0
 *
 * A count and a condition. Those who wait are not in line: a small upload may pass a large one, which waits for more.
 */
#include "serve/upload_memory.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"

/* One that holds some; few at a time. */
struct tenant {
    struct tenant *next;
    uint64_t used;
    unsigned waiting; /* claims that wait */
    char name[];
};

struct upload_memory {
    uint64_t all;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t released;
    uint64_t left;
    struct tenant *tenants;
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
    assert(!m->tenants);
    pthread_cond_destroy(&m->released);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* With the lock held. NULL without memory. */
static struct tenant *find(struct upload_memory *m, const char *name)
{
    struct tenant *t = m->tenants;

    while (t && strcmp(t->name, name) != 0)
        t = t->next;
    if (!t && (t = calloc(1, sizeof(*t) + strlen(name) + 1))) {
        memcpy(t->name, name, strlen(name) + 1);
        t->next = m->tenants;
        m->tenants = t;
    }
    return t;
}

/* With the lock held: forgets a tenant that holds nothing and waits for nothing. */
static void forget(struct upload_memory *m, struct tenant *t)
{
    struct tenant **at = &m->tenants;

    if (t->used > 0 || t->waiting > 0)
        return;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    free(t);
}

static bool is_free(const struct upload_memory *m, const struct tenant *t, uint64_t bytes)
{
    return bytes <= m->left && (t->used == 0 || t->used + bytes <= m->all / 2);
}

static struct timespec deadline(uint64_t wait_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ms / 1000);
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return until;
}

int upload_memory_claim(struct upload_memory *m, const char *tenant, uint64_t bytes, uint64_t wait_ms)
{
    const struct timespec until = deadline(wait_ms);
    struct tenant *t;
    int r = 0;

    if (bytes > m->all)
        bytes = m->all;
    if (bytes == 0)
        return 0;
    pthread_mutex_lock(&m->lock);
    if (!(t = find(m, tenant))) {
        pthread_mutex_unlock(&m->lock);
        return -ENOMEM;
    }
    t->waiting++;
    while (!is_free(m, t, bytes) && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&m->released, &m->lock, &until);
    t->waiting--;
    r = is_free(m, t, bytes) ? 0 : -FAULT_BUSY;
    if (r == 0) {
        m->left -= bytes;
        t->used += bytes;
    }
    forget(m, t);
    pthread_mutex_unlock(&m->lock);
    return r;
}

void upload_memory_release(struct upload_memory *m, const char *tenant, uint64_t bytes)
{
    struct tenant *t;

    if (bytes > m->all)
        bytes = m->all;
    if (bytes == 0)
        return;
    pthread_mutex_lock(&m->lock);
    t = find(m, tenant);
    assert(t && t->used >= bytes);
    m->left += bytes;
    t->used -= bytes;
    forget(m, t);
    pthread_cond_broadcast(&m->released);
    pthread_mutex_unlock(&m->lock);
}
