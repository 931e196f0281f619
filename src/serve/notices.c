/* SPDX-License-Identifier: Apache-2.0
 *
 * A queue on disk (notify/queue.h), and a thread that sleeps until something is put into it or due again.
 */
#include "serve/notices.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "notify/notifier.h"
#include "notify/queue.h"
#include "ship/case_notice.h"

enum { STACK_BYTES = 512 * 1024, STOP_S = 2, IDLE_MS = 3600 * 1000 };

struct notices {
    struct notices_config config;
    int folder;
    struct notifier *notifier;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* by the monotonic clock */
    bool added, stopped;
};

/* Until something was added, ms have passed, or the end: false then. */
static bool wait_for_more(struct notices *n, uint64_t ms)
{
    struct timespec until;
    bool goes_on;

    clock_gettime(CLOCK_MONOTONIC, &until);
    if (ms > IDLE_MS)
        ms = IDLE_MS;
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&n->lock);
    while (!n->added && !n->stopped && pthread_cond_timedwait(&n->wake, &n->lock, &until) == 0)
        ;
    n->added = false;
    goes_on = !n->stopped;
    pthread_mutex_unlock(&n->lock);
    return goes_on;
}

static void *deliver_all(void *ctx)
{
    struct notices *n = ctx;
    uint64_t wait;

    do
        wait = notifier_run(n->notifier);
    while (wait_for_more(n, wait));
    return NULL;
}

static void notices_free(struct notices *n)
{
    if (!n)
        return;
    notifier_free(n->notifier);
    pthread_cond_destroy(&n->wake);
    pthread_mutex_destroy(&n->lock);
    if (n->folder >= 0)
        close(n->folder);
    free(n);
}

DEFINE_CLEANUP(struct notices *, notices_free)

int notices_open(const struct notices_config *config, int folder, struct notices **ret, struct err *e)
{
    CLEANUP(notices_free_ptr) struct notices *n = NULL;
    pthread_condattr_t attr;
    int r;

    assert(config && config->targets && config->store && folder >= 0 && ret);
    *ret = NULL;
    if (config->targets->count == 0)
        return 0;
    if (!(n = calloc(1, sizeof(*n))))
        return err_set(e, -ENOMEM, "out of memory");
    n->config = *config;
    n->folder = -1;
    pthread_mutex_init(&n->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&n->wake, &attr);
    pthread_condattr_destroy(&attr);
    if ((n->folder = r = queue_open(folder)) < 0)
        return err_set(e, r, "the folder for notices: %s", strerror(-r));
    const struct notifier_config how = {
        .targets = config->targets, .http = config->http, .every_ms = config->every_ms, .keep_folders = true};
    if ((r = notifier_new(&how, &n->notifier, e)) < 0)
        return r;
    if ((r = notifier_add_folder(n->notifier, fcntl(n->folder, F_DUPFD_CLOEXEC, 3))) < 0)
        return err_set(e, r, "the folder for notices: %s", strerror(-r));
    if ((r = thread_start(&n->thread, STACK_BYTES, deliver_all, n)) < 0)
        return err_set(e, r, "no thread for notices: %s", strerror(-r));
    *ret = TAKE_PTR(n);
    return 0;
}

void notices_close(struct notices *n)
{
    struct timespec until;

    if (!n)
        return;
    pthread_mutex_lock(&n->lock);
    n->stopped = true;
    pthread_cond_signal(&n->wake);
    pthread_mutex_unlock(&n->lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STOP_S;
    if (pthread_timedjoin_np(n->thread, NULL, &until) == 0)
        notices_free(n);
}

void notices_add(struct notices *n, const struct manifest *m)
{
    CLEANUP(notice_done) struct notice notice = {0};

    if (!n || case_notice_of_stored(m, n->config.store, n->config.public_url, &notice) < 0 ||
        case_notice_queue(&notice, n->config.targets, n->folder) < 0)
        return;
    pthread_mutex_lock(&n->lock);
    n->added = true;
    pthread_cond_signal(&n->wake);
    pthread_mutex_unlock(&n->lock);
}
