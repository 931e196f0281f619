/* SPDX-License-Identifier: Apache-2.0
 *
 * The last one given back is the first one taken: its connection is the warmest.
 */
#include "serve/sink_pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

enum { IDLE_MAX = 32 };

struct sink_pool {
    const struct sink_config *store;
    struct sink *first;   /* whose credentials all share; not used for requests */
    pthread_mutex_t lock; /* for the following */
    struct sink *idle[IDLE_MAX];
    unsigned count;
};

DEFINE_CLEANUP(struct sink_pool *, sink_pool_free)

int sink_pool_new(const struct sink_config *store, struct sink_pool **ret, struct err *e)
{
    CLEANUP(sink_pool_free_ptr) struct sink_pool *p = calloc(1, sizeof(*p));
    int r;

    assert(store && ret);
    if (!p)
        return err_set(e, -ENOMEM, "out of memory");
    pthread_mutex_init(&p->lock, NULL);
    p->store = store;
    if ((r = sink_open(store, &p->first, e)) < 0)
        return r;
    *ret = TAKE_PTR(p);
    return 0;
}

void sink_pool_free(struct sink_pool *p)
{
    if (!p)
        return;
    for (unsigned i = 0; i < p->count; i++)
        sink_close(p->idle[i]);
    sink_close(p->first);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

int sink_pool_take(struct sink_pool *p, struct sink **ret, struct err *e)
{
    struct sink_config quiet = *p->store; /* what is worth saying was said when the first one was opened */
    struct sink *s = NULL;

    pthread_mutex_lock(&p->lock);
    if (p->count > 0)
        s = p->idle[--p->count];
    pthread_mutex_unlock(&p->lock);
    if (s) {
        *ret = s;
        return 0;
    }
    if (p->first->ops->share)
        return p->first->ops->share(p->first, ret, e);
    quiet.notice = NULL;
    return sink_open(&quiet, ret, e);
}

void sink_pool_give(struct sink_pool *p, struct sink *s)
{
    pthread_mutex_lock(&p->lock);
    if (s && p->count < IDLE_MAX) {
        p->idle[p->count++] = s;
        s = NULL;
    }
    pthread_mutex_unlock(&p->lock);
    sink_close(s);
}
