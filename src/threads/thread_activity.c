/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of methods: of pools that wait for work, of native calls that wait.
 */
#include "threads/thread_activity.h"

#include <assert.h>
#include <string.h>

#include "base/java_name.h"
#include "base/mem.h"
#include "base/text.h"
#include "threads/thread_frame.h"
#include "threads/thread_waits.h"

enum { FRAMES_TOP = 16 };

static const char *const FOR_WORK[] = {
    "java.util.concurrent.ThreadPoolExecutor.getTask(",
    "java.util.concurrent.ForkJoinPool.awaitWork(",
    "java.util.TimerThread.mainLoop(",
    "java.lang.ref.ReferenceQueue.remove",
    "java.lang.ref.Reference.waitForReferencePendingList(",
    "java.lang.ref.Reference.tryHandlePending(",
    "java.lang.ref.Reference$ReferenceHandler.run(",
    "sun.nio.ch.SelectorImpl.",
    "sun.nio.ch.EPoll.wait(",
    "sun.nio.ch.EPollArrayWrapper.",
    "sun.nio.ch.KQueue.",
    "java.net.ServerSocket.accept(",
    "sun.nio.ch.ServerSocketChannelImpl.accept(",
    "sun.nio.fs.LinuxWatchService.poll(",
    "java.lang.ProcessHandleImpl.waitForProcessExit0(",
    "io.netty.channel.epoll.Native.epollWait",
    "io.netty.channel.epoll.EpollEventLoop.epollWait",
    "io.netty.util.concurrent.SingleThreadEventExecutor.takeTask(",
    "org.eclipse.jetty.util.thread.QueuedThreadPool.idleJobPoll(",
    "org.eclipse.jetty.util.thread.QueuedThreadPool$3.idle",
    "org.eclipse.jetty.util.thread.ReservedThreadExecutor$ReservedThread.reservedWait(",
    "org.jboss.threads.EnhancedQueueExecutor$ThreadBody.",
    "org.apache.tomcat.util.net.AprEndpoint",
    "weblogic.work.ExecuteThread.waitForRequest(",
    "kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.park(",
};

static const char *const IN_NATIVE[] = {"sun.nio.ch.", "java.net.",         "java.io.",
                                        "sun.nio.fs.", "io.netty.channel.", "sun.security.ssl."};

const char *thread_activity_name(enum thread_activity a)
{
    static const char *const names[THREAD_ACTIVITIES] = {"running",  "in I/O", "blocked",   "waiting",
                                                         "sleeping", "idle",   "of the JVM"};

    return names[a];
}

static const char *frame(const struct thread_dumps *all, const struct thread_dump *d, const struct dumped_thread *t,
                         uint32_t depth)
{
    return depth < t->frame_count ? all->text[d->frame[t->frame + depth]] : "";
}

static bool has_frame(const struct thread_dumps *all, const struct thread_dump *d, const struct dumped_thread *t,
                      const char *prefix)
{
    for (uint32_t i = 0; i < t->frame_count && i < FRAMES_TOP; i++)
        if (text_starts(frame(all, d, t, i), prefix))
            return true;
    return false;
}

static bool waits_for_work(const struct thread_dumps *all, const struct thread_dump *d, const struct dumped_thread *t)
{
    for (size_t i = 0; i < ARRAY_SIZE(FOR_WORK); i++)
        if (has_frame(all, d, t, FOR_WORK[i]))
            return true;
    return false;
}

static bool in_native_io(const struct thread_dumps *all, const struct thread_dump *d, const struct dumped_thread *t)
{
    const char *top = frame(all, d, t, 0);

    if (!text_ends(top, "(Native Method)"))
        return has_frame(all, d, t, "sun.nio.ch.NioSocketImpl.park(");
    for (size_t i = 0; i < ARRAY_SIZE(IN_NATIVE); i++)
        if (text_starts(top, IN_NATIVE[i]))
            return true;
    return false;
}

/* dump_to_file of JDK 21 to 23 writes no states. */
static bool is_parked(const struct thread_dumps *all, const struct thread_dump *d, const struct dumped_thread *t)
{
    const char *top = frame(all, d, t, 0);

    return text_starts(top, "java.lang.VirtualThread.park") || text_starts(top, "jdk.internal.misc.Unsafe.park(") ||
           text_starts(top, "java.lang.Object.wait");
}

static bool wants_lock(const struct thread_dump *d, const struct dumped_thread *t)
{
    return t->state == THREAD_BLOCKED || t->wait == THREAD_ENTERS ||
           (t->wait == THREAD_PARKS && t->lock != THREAD_NONE && thread_waits_is_lock(d->lock[t->lock].class_name));
}

enum thread_activity thread_activity_of(const struct thread_dumps *all, const struct thread_dump *d,
                                        const struct dumped_thread *t)
{
    bool runs = t->state == THREAD_RUNNABLE || (t->state == THREAD_STATE_UNKNOWN && !is_parked(all, d, t));

    assert(all && d && t);
    if (t->internal || t->carries || t->state == THREAD_NEW || t->state == THREAD_TERMINATED)
        return THREAD_OTHER;
    if (wants_lock(d, t))
        return THREAD_IS_BLOCKED;
    if (runs && !in_native_io(all, d, t) && !text_ends(frame(all, d, t, 0), "(Native Method)"))
        return THREAD_RUNS;
    if (waits_for_work(all, d, t))
        return THREAD_IDLE;
    if (runs)
        return in_native_io(all, d, t) ? THREAD_IN_IO : THREAD_RUNS;
    return has_frame(all, d, t, "java.lang.Thread.sleep") || has_frame(all, d, t, "java.lang.VirtualThread.sleep")
               ? THREAD_SLEEPS
               : THREAD_WAITS;
}

/* The virtual thread that a carrier runs comes behind it in the dump. */
static const struct dumped_thread *carried(const struct thread_dump *d, const struct dumped_thread *t)
{
    return t->carries && t + 1 < d->thread + d->thread_count && t[1].is_virtual && t[1].id == t->carries ? t + 1 : t;
}

const char *thread_where(const struct thread_dumps *all, const struct thread_dump *d, const struct dumped_thread *t)
{
    t = carried(d, t);
    for (uint32_t i = 0; i < t->frame_count; i++)
        if (!java_name_is_runtime(frame(all, d, t, i)))
            return frame(all, d, t, i);
    return t->frame_count ? frame(all, d, t, 0) : NULL;
}
