/* SPDX-License-Identifier: Apache-2.0
 *
 * The worst first: the sentence is cut where it gets too long.
 */
#include "threads/thread_summary.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "threads/thread_activity.h"
#include "threads/thread_waits.h"

enum { DEADLOCK_NAMES = 4, QUEUE_MIN = 2 };

static const char *simple_class(const char *name)
{
    const char *dot = strrchr(name, '.'), *slash = strrchr(name, '/');

    dot = dot > slash ? dot : slash;
    return dot ? dot + 1 : name;
}

static int add_deadlocks(const struct thread_dump *d, const struct thread_waits *w, struct buf *b)
{
    const struct thread_deadlock *found = w->deadlock;
    int r;

    if (w->deadlock_count == 0)
        return 0;
    r = buf_printf(b, "DEADLOCK of %" PRIu32 " threads: ", found->count);
    for (uint32_t i = 0; r == 0 && i < found->count && i < DEADLOCK_NAMES; i++)
        r = buf_printf(b, "%s\"%.60s\"", i ? ", " : "", d->thread[found->thread[i]].name);
    if (r == 0 && found->count > DEADLOCK_NAMES)
        r = buf_add_text(b, " …");
    if (r == 0 && w->deadlock_count > 1)
        r = buf_printf(b, " and %zu more", w->deadlock_count - 1);
    return r == 0 ? buf_add_text(b, "; ") : r;
}

static int add_queue(const struct thread_dumps *all, const struct thread_dump *d, const struct thread_waits *w,
                     struct buf *b)
{
    const struct thread_queue *q = w->queue;
    const struct dumped_lock *lock;
    const char *where;
    int r;

    if (w->queue_count == 0 || q->all < QUEUE_MIN)
        return 0;
    lock = &d->lock[q->lock];
    r = buf_printf(b, "%" PRIu32 " threads wait for %s", q->all,
                   *lock->class_name ? simple_class(lock->class_name) : lock->id);
    if (r == 0 && q->owner != THREAD_NONE) {
        where = thread_where(all, d, &d->thread[q->owner]);
        r = buf_printf(b, " held by \"%.60s\"%s%s", d->thread[q->owner].name, where ? " at " : "", where ? where : "");
    }
    return r == 0 ? buf_add_text(b, "; ") : r;
}

static int add_counts(const struct thread_dumps *all, const struct thread_dump *d, struct buf *b)
{
    uint32_t doing[THREAD_ACTIVITIES] = {0}, threads = 0;
    int r;

    for (size_t i = 0; i < d->thread_count; i++)
        doing[thread_activity_of(all, d, &d->thread[i])]++;
    for (int a = 0; a < THREAD_OTHER; a++)
        threads += doing[a];
    r = buf_printf(b, "%" PRIu32 " thread%s", threads, threads == 1 ? "" : "s");
    for (int a = 0, shown = 0; r == 0 && a < THREAD_OTHER; a++)
        if (doing[a])
            r = buf_printf(b, "%s%" PRIu32 " %s", shown++ ? ", " : ": ", doing[a],
                           thread_activity_name((enum thread_activity)a));
    return r;
}

int thread_summary(const void *data, size_t size, struct summary *ret)
{
    CLEANUP(thread_dumps_done) struct thread_dumps all = {0};
    CLEANUP(thread_waits_done) struct thread_waits w = {0};
    CLEANUP(buf_done) struct buf b = {0};
    const struct thread_dump *d;
    int r = thread_dumps_parse(data, size, &all, NULL);

    assert(ret);
    if (r < 0)
        return r == -ENOMEM ? r : -EBADMSG;
    d = &all.dump[all.count - 1];
    if (thread_waits_find(d, &w) < 0 || add_deadlocks(d, &w, &b) < 0 || add_queue(&all, d, &w, &b) < 0 ||
        add_counts(&all, d, &b) < 0)
        return -ENOMEM;
    text_printable(buf_text(&b), ret->sentence, sizeof(ret->sentence));
    return 0;
}
