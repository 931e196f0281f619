/* SPDX-License-Identifier: Apache-2.0
 *
 * The thread unblocks the signals only in ppoll(2). They are blocked in the loop's thread: the kernel delivers a signal
 * to any thread that does not block it, and would choose the one that hangs. Never freed: the thread lives as long as
 * the process.
 */
#include "watch/loop_watchdog.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"

enum { STEP_MS = 50, STACK_SIZE = 256 * 1024 };

struct loop_watchdog {
    atomic_uint seen; /* signals that the loop has read */
    uint64_t patience_ms, grace_ms;
    void (*last)(void);
    int exit_code;
};

static _Noreturn void *watch(void *arg)
{
    struct loop_watchdog *w = arg;
    unsigned before = atomic_load(&w->seen);
    sigset_t closed;

    sigfillset(&closed);
    sigdelset(&closed, SIGTERM);
    sigdelset(&closed, SIGINT);
    while (ppoll(NULL, 0, NULL, &closed) >= 0)
        ;
    for (uint64_t until = clock_mono_ms() + w->patience_ms; atomic_load(&w->seen) == before;) {
        if (clock_mono_ms() >= until) {
            w->last();
            _exit(w->exit_code);
        }
        clock_sleep_ms(STEP_MS);
    }
    clock_sleep_ms(w->grace_ms + w->patience_ms);
    w->last();
    _exit(w->exit_code);
}

struct loop_watchdog *loop_watchdog_start(uint64_t patience_ms, uint64_t grace_ms, void (*last)(void), int exit_code)
{
    struct loop_watchdog *w = calloc(1, sizeof(*w));
    sigset_t taken, before;
    pthread_t thread;

    assert(last);
    if (!w)
        return NULL;
    *w = (struct loop_watchdog){.patience_ms = patience_ms, .grace_ms = grace_ms, .last = last, .exit_code = exit_code};
    sigemptyset(&taken);
    sigaddset(&taken, SIGTERM);
    sigaddset(&taken, SIGINT);
    pthread_sigmask(SIG_BLOCK, &taken, &before);
    if (thread_start(&thread, STACK_SIZE, watch, w) < 0) {
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        free(w);
        return NULL;
    }
    pthread_detach(thread);
    return w;
}

void loop_watchdog_seen(struct loop_watchdog *w)
{
    if (w)
        atomic_fetch_add(&w->seen, 1);
}
