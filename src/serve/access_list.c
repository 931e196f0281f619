/* SPDX-License-Identifier: Apache-2.0
 *
 * Rights in many namespaces: questions to an API server are asked several at a time.
 */
#include <assert.h>
#include <jansson.h>
#include <pthread.h>

#include "base/parallel.h"
#include "serve/caller.h"

enum { AT_A_TIME = 8 }; /* kubeapi.c has as many connections */

struct asking {
    struct access *access;
    const struct caller *caller;
    const char *const *namespaces;
    unsigned *rights;
    size_t count;
    pthread_mutex_t lock; /* for the following, and for the caller's JSON */
    size_t next;
};

static void work(void *ctx)
{
    struct asking *a = ctx;
    struct caller own = {.kube_user = NULL};
    size_t i;

    pthread_mutex_lock(&a->lock);
    own = *a->caller; /* its grants are only read */
    own.kube_user = json_deep_copy(a->caller->kube_user);
    while (own.kube_user && (i = a->next++) < a->count) {
        pthread_mutex_unlock(&a->lock);
        a->rights[i] = caller_may_list(a->access, &own, a->namespaces[i]);
        pthread_mutex_lock(&a->lock);
    }
    pthread_mutex_unlock(&a->lock);
    json_decref(own.kube_user);
}

void caller_may_list_each(struct access *access, struct caller *c, const char *const *namespaces, size_t count,
                          unsigned *ret)
{
    struct asking a = {access, c, namespaces, ret, count, PTHREAD_MUTEX_INITIALIZER, 0};

    assert(access && c && ret);
    for (size_t i = 0; i < count; i++)
        ret[i] = c->kube_user ? (unsigned)RIGHT_UNKNOWN : caller_may_list(access, c, namespaces[i]);
    if (!c->kube_user || count == 0)
        return;
    caller_may_list(access, c, "*"); /* once, and not by each thread: what may be listed everywhere */
    parallel_run(count < AT_A_TIME ? (unsigned)count : AT_A_TIME, work, &a);
}
