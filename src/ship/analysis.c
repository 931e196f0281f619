/* SPDX-License-Identifier: Apache-2.0
 *
 * The lock is on our own program's file: all our processes on the machine have that, and no folder is needed. Where a
 * file system has no locks, two may run at once.
 */
#include "ship/analysis.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ship/analysis_request.h"

enum { NICE = 10, ASK_MS = 200 };

void analysis_answer_done(struct analysis_answer *a)
{
    buf_done(&a->json);
    buf_done(&a->page);
}

static bool stopped(const struct analysis_order *o)
{
    return o->stop && o->stop(o->ctx);
}

/* Until no other process has the lock, or it can't be asked for. */
static int wait_for_turn(const struct analysis_order *o, int lock, uint64_t deadline_ms, struct err *e)
{
    uint64_t until_ms = clock_mono_ms() + deadline_ms;

    while (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) < 0 && (errno == EWOULDBLOCK || errno == EINTR)) {
        if (stopped(o))
            return err_set(e, -ECANCELED, "stopped");
        if (clock_left_ms(until_ms) == 0)
            return err_set(e, -ETIMEDOUT, "another analysis was under way all the time");
        clock_sleep_ms(ASK_MS);
    }
    return 0;
}

/* JSON, a NUL, and the page. */
static int divide(const struct buf *both, struct analysis_answer *ret, struct err *e)
{
    struct analysis_answer a = {{.ceiling = SANDBOXED_ANSWER_MAX}, {.ceiling = SANDBOXED_ANSWER_MAX}};
    const char *end = both->size > 0 ? memchr(both->data, '\0', both->size) : NULL;
    size_t json = end ? (size_t)(end - both->data) : 0;

    if (!end || json == 0)
        return err_set(e, -FAULT_FORMAT, "its analysis is no answer");
    if (buf_add(&a.json, both->data, json) < 0 || buf_add(&a.page, end + 1, both->size - json - 1) < 0) {
        analysis_answer_done(&a);
        return err_set(e, -ENOMEM, "out of memory");
    }
    *ret = a;
    return 0;
}

static int ask(const struct analysis_order *o, uint64_t deadline_ms, struct analysis_answer *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf both = {.ceiling = SANDBOXED_ANSWER_MAX};
    char ceiling[40];
    char *const argv[] = {(char *)"salvage", (char *)ANALYSIS_COMMAND,
                          (char *)"--json",  (char *)"--page",
                          ceiling,           (char *)"--",
                          (char *)o->name,   NULL};
    const struct sandboxed_task task = {.argv = argv,
                                        .fds = &o->fd,
                                        .fd_count = 1,
                                        .deadline_ms = deadline_ms,
                                        .nice = NICE,
                                        .stop = o->stop,
                                        .ctx = o->ctx};
    struct sandboxed_process child = SANDBOXED_NONE;
    int r;

    snprintf(ceiling, sizeof(ceiling), "--ceiling=%" PRIu64, o->memory);
    if ((r = sandboxed_start(&task, &child, e)) < 0 || (r = sandboxed_collect(&child, &task, &both, e)) < 0)
        return r;
    return divide(&both, ret, e);
}

int analysis_make(const struct analysis_order *order, struct analysis_answer *ret, struct err *e)
{
    CLEANUP_FD int lock = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    uint64_t deadline_ms;
    struct stat st;
    int r;

    assert(order && order->fd >= 0 && order->name && ret);
    if (fstat(order->fd, &st) < 0)
        return err_set(e, -errno, "%s", strerror(errno));
    deadline_ms = analysis_deadline_ms((uint64_t)st.st_size);
    if ((r = wait_for_turn(order, lock, deadline_ms, e)) < 0)
        return r;
    return ask(order, deadline_ms, ret, e);
}
