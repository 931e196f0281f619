/* SPDX-License-Identifier: Apache-2.0
 *
 * The Attach Listener is recognised by its thread name, which HotSpot sets in the kernel, too
 * (os::set_native_thread_name).
 */
#include "hotspot/attach_obstacle.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "hotspot/counters.h"
#include "hotspot/jvmheap.h"
#include "linux/threadroom.h"

enum {
    /* One for the listener; the others for what the application may start between the check and the signal. */
    THREADS_NEEDED = 3,
    IN_VAIN = 3,       /* full collections, one after the other */
    FULL_PERCENT = 93, /* one survivor space is always empty, and counts as heap */
    LIMITS_MAX = 64 * 1024,
    NAME_SIZE = 64,
    ROOM_AMPLE = 4096, /* threads: more than any application starts in a moment */
    CALM_MS = 20,
    CALM_TIMES = 5 /* the signal may take so many times CALM_MS to take effect */
};

bool attach_obstacle_listener_runs(const struct jvm *j)
{
    CLEANUP_DIR DIR *tasks = file_opendir(j->proc.fd, "task");

    for (struct dirent *d; tasks && (d = readdir(tasks));) {
        CLEANUP(buf_done) struct buf name = {.ceiling = NAME_SIZE};
        char path[NAME_SIZE];

        if (d->d_name[0] == '.' || snprintf(path, sizeof(path), "%.20s/comm", d->d_name) >= (int)sizeof(path))
            continue;
        if (file_load(dirfd(tasks), path, &name) == 0 && text_eq(buf_text(&name), "Attach Listener\n"))
            return true;
    }
    return false;
}

static int at_limit(const struct jvm *j, const struct threadroom *room, struct err *e)
{
    return err_set(e, -FAULT_REFUSED,
                   "JVM %d: not attached, because it is at a thread limit, and HotSpot exits when it can't start its "
                   "attach thread: %" PRIu64 " of %" PRIu64
                   " used, %s. Raise the limit, or start the JVM with -XX:+StartAttachListener; jvm ps, jvm stat and "
                   "core work without attach",
                   (int)j->proc.pid, room->used, room->limit, room->what);
}

int attach_obstacle_limit(const struct jvm *j, struct err *e)
{
    struct threadroom room;

    threadroom_get("/proc", &j->proc, &room);
    if (room.room >= THREADS_NEEDED || attach_obstacle_listener_runs(j))
        return 0;
    return at_limit(j, &room, e);
}

int attach_obstacle_thread_burst(const struct jvm *j, struct err *e)
{
    struct threadroom before, now;
    uint64_t started;

    threadroom_get("/proc", &j->proc, &before);
    if (before.room >= ROOM_AMPLE)
        return 0;
    if (before.room < THREADS_NEEDED)
        return at_limit(j, &before, e);
    clock_sleep_ms(CALM_MS);
    threadroom_get("/proc", &j->proc, &now);
    if (now.room < THREADS_NEEDED)
        return at_limit(j, &now, e);
    started = now.room < before.room ? before.room - now.room : 0;
    if (now.room - THREADS_NEEDED >= started * CALM_TIMES)
        return 0;
    return err_set(e, -EAGAIN,
                   "JVM %d: not attached yet, because it is starting threads near a limit: %" PRIu64 " of %" PRIu64
                   " used, %s",
                   (int)j->proc.pid, now.used, now.limit, now.what);
}

bool attach_obstacle_descriptors(const struct jvm *j, uint64_t *ret_used, uint64_t *ret_limit)
{
    CLEANUP(buf_done) struct buf limits = {.ceiling = LIMITS_MAX};
    CLEANUP_DIR DIR *files = file_opendir(j->proc.fd, "fd");
    const char *line;
    uint64_t used = 0, limit;

    if (!files || file_load(j->proc.fd, "limits", &limits) < 0 || !(line = strstr(buf_text(&limits), "Max open files")))
        return false;
    line += strlen("Max open files");
    line += strspn(line, " ");
    if (*line < '0' || *line > '9')
        return false;
    limit = strtoull(line, NULL, 10);
    for (struct dirent *d; (d = readdir(files));)
        used += d->d_name[0] != '.';
    *ret_used = used;
    *ret_limit = limit;
    return used >= limit;
}

/* During a collection the counters are from before it. A JVM that does nothing but collect is full if IN_VAIN
 * collections in a row freed nothing. */
static bool is_heap_full(const struct jvm *j, struct attach_fullness *seen, int64_t *ret_used, int64_t *ret_max)
{
    CLEANUP(counters_done) struct counters c = {0};
    struct jvmheap heap;
    struct err ignored;

    if (counters_read(&j->proc, &c, &ignored) < 0)
        return false;
    jvmheap_read(&c.perf, &heap);
    *ret_used = heap.used;
    *ret_max = heap.max;
    if (heap.max <= 0 || heap.used <= 0 || heap.used < heap.max / 100 * FULL_PERCENT) {
        *seen = (struct attach_fullness){0};
        return false;
    }
    if (heap.collected[1] != seen->collected) {
        seen->collected = heap.collected[1];
        seen->collections++;
    }
    return !heap.collecting || seen->collections >= IN_VAIN;
}

int attach_obstacle_exhausted(const struct jvm *j, struct attach_fullness *seen, struct err *e)
{
    char used_text[TEXT_SIZE_MAX], max_text[TEXT_SIZE_MAX];
    uint64_t files, limit;
    int64_t used, max;
    int pid = (int)j->proc.pid;

    if (attach_obstacle_descriptors(j, &files, &limit))
        return err_set(e, -FAULT_REFUSED,
                       "JVM %d can't open its attach socket: it has no file descriptor left, %" PRIu64 " of %" PRIu64
                       " (ulimit -n) are open. See /proc/%d/fd, or raise the limit with prlimit --pid %d --nofile=N",
                       pid, files, limit, pid, pid);
    if (!attach_obstacle_listener_runs(j) && is_heap_full(j, seen, &used, &max))
        return err_set(e, -FAULT_REFUSED,
                       "JVM %d can't answer: its heap is full (%s of %s), and HotSpot needs some of it for its attach "
                       "thread. salvage core still works; a JVM that was started with -XX:+StartAttachListener, or "
                       "attached to before, answers even then",
                       pid, text_format_size((uint64_t)used, used_text), text_format_size((uint64_t)max, max_text));
    return 0;
}
