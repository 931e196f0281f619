/* SPDX-License-Identifier: Apache-2.0
 *
 * Starts and joins the threads.
 */
#include "base/parallel.h"

#include <pthread.h>
#include <stddef.h>

#include "base/thread.h"

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
    pthread_t thread[PARALLEL_MAX] = {0};
    unsigned started = 0, most = count > PARALLEL_MAX ? PARALLEL_MAX : count;

    while (started + 1 < most && thread_start(&thread[started], STACK_SIZE, run, &job) == 0)
        started++;
    work(ctx);
    while (started > 0)
        pthread_join(thread[--started], NULL);
}
