/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread that polls ten times a second: POSIX lets no signal handler wake a condition variable.
 */
#include "linux/watchdog.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "linux/interrupt.h"

enum { LOOK_MS = 100 };

struct watchdog {
    pthread_t thread;
    pthread_mutex_t lock; /* held while it checks, and by the thread that ends the process */
    pthread_cond_t changed;
    bool called_off;
    uint64_t until_ms;
    void (*last)(void *ctx, const char *why);
    void *ctx;
};

static void end_by_signal(struct watchdog *w, int number)
{
    char why[40];

    snprintf(why, sizeof(why), "stopped by SIG%s", sigabbrev_np(number));
    w->last(w->ctx, why);
    interrupt_release();
    _exit(128 + number);
}

static void end_in_time(struct watchdog *w)
{
    w->last(w->ctx, "the time is up");
    _exit(fault_find(-FAULT_LATER)->exit_code);
}

static void *watch(void *arg)
{
    struct watchdog *w = arg;

    pthread_mutex_lock(&w->lock);
    while (!w->called_off) {
        uint64_t next_ms = clock_mono_ms() + LOOK_MS;
        struct timespec next = {.tv_sec = (time_t)(next_ms / 1000), .tv_nsec = (long)(next_ms % 1000) * 1000000};

        if (interrupt_caught())
            end_by_signal(w, interrupt_caught());
        if (w->until_ms > 0 && clock_mono_ms() >= w->until_ms)
            end_in_time(w);
        pthread_cond_clockwait(&w->changed, &w->lock, CLOCK_MONOTONIC, &next);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

struct watchdog *watchdog_start(uint64_t until_ms, void (*last)(void *ctx, const char *why), void *ctx)
{
    assert(last);
    struct watchdog *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->until_ms = until_ms;
    w->last = last;
    w->ctx = ctx;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    /* Not thread_start: it blocks signals, and interrupt_release raises one in this thread. */
    if (pthread_create(&w->thread, NULL, watch, w) != 0) {
        free(w);
        return NULL;
    }
    return w;
}

void watchdog_stop(struct watchdog *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->called_off = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
