/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads that are started, and joined.
 */
#include "base/parallel.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

enum { STACK_SIZE = 512 * 1024 }; /* libcurl and OpenSSL take some 100 KiB */

struct job {
    void (*work)(void *ctx);
    void *ctx;
};

static void *run(void *arg)
{
    const struct job *j = arg;

    j->work(j->ctx);
    return NULL;
}

void parallel_run(unsigned count, void (*work)(void *ctx), void *ctx)
{
    struct job job = {work, ctx};
    pthread_t thread[PARALLEL_MAX];
    unsigned started = 0, most = count > PARALLEL_MAX ? PARALLEL_MAX : count;
    pthread_attr_t attributes;
    sigset_t all, before;

    sigfillset(&all);
    if (pthread_attr_init(&attributes) == 0) {
        pthread_attr_setstacksize(&attributes, STACK_SIZE);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        while (started + 1 < most && pthread_create(&thread[started], &attributes, run, &job) == 0)
            started++;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
    }
    work(ctx);
    while (started > 0)
        pthread_join(thread[--started], NULL);
}
