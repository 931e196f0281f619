/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread inherits the mask of the thread that creates it, so signals are blocked around pthread_create: none can
 * arrive between the thread's start and a mask of its own.
 */
#include "base/thread.h"

#include <assert.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

/* A thread's own. */
static const int FAULTS[] = {SIGSEGV, SIGBUS};

int thread_start(pthread_t *ret, size_t stack_bytes, void *(*run)(void *ctx), void *ctx)
{
    sigset_t all, before;
    pthread_attr_t attr;
    pthread_t thread;
    int r;

    assert(ret && run);
    if (stack_bytes < (size_t)PTHREAD_STACK_MIN) /* 128 KiB on 64-bit ARM, 16 KiB on x86 */
        stack_bytes = (size_t)PTHREAD_STACK_MIN;
    if ((r = pthread_attr_init(&attr)) != 0)
        return -r;
    pthread_attr_setstacksize(&attr, stack_bytes);
    sigfillset(&all);
    for (size_t i = 0; i < ARRAY_SIZE(FAULTS); i++)
        sigdelset(&all, FAULTS[i]); /* a handler may mend its cause */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&thread, &attr, run, ctx);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (r == 0)
        *ret = thread;
    return -r;
}

void thread_trim_stack(size_t bytes)
{
    enum { OURS = 512 }; /* of this function and of what it calls */
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - OURS) & ~(page - 1);

    bytes &= ~(page - 1);
    (void)madvise((void *)(end - bytes), bytes, MADV_DONTNEED); /* NOLINT(performance-no-int-to-ptr) */
}
