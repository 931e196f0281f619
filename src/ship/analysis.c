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
#include <unistd.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/strv.h"
#include "ship/analysis_request.h"
#include "ship/case_facts.h"

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
    struct analysis_answer a = {.json = {.ceiling = SANDBOXED_ANSWER_MAX}, .page = {.ceiling = SANDBOXED_ANSWER_MAX}};
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

/* For what is beyond a quarter of the memory: a file without a name, only where the user has named a folder for such
 * files. /tmp may be memory, or part of what a container may store. -1: none. */
static int open_temporary(void)
{
    const char *folder = env_get("TMPDIR");

    return folder ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
}

static int add_arguments(const struct analysis_order *o, bool spills, struct strv *to)
{
    static char *const FIRST[] = {(char *)"salvage", (char *)ANALYSIS_COMMAND, (char *)"--json", (char *)"--page",
                                  NULL};

    /* The report has arrays of its own, and names, stacks and the answer come on top of the graph. */
    return strv_add_all(to, FIRST) < 0 || strv_printf(to, "--ceiling=%" PRIu64, o->memory) < 0 ||
                   (spills && strv_printf(to, "--memory=%" PRIu64, o->memory / 4) < 0) || strv_add(to, "--") < 0 ||
                   strv_add(to, o->name) < 0
               ? -ENOMEM
               : 0;
}

static int ask(const struct analysis_order *o, uint64_t deadline_ms, struct analysis_answer *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf both = {.ceiling = SANDBOXED_ANSWER_MAX};
    CLEANUP(strv_done) struct strv argv = {0};
    CLEANUP_FD int temporary = o->temporary >= 0 ? fcntl(o->temporary, F_DUPFD_CLOEXEC, 0) : open_temporary();
    int fds[SANDBOXED_FDS_MAX], r;
    struct sandboxed_task task = {
        .fds = fds, .fd_count = o->fd_count, .deadline_ms = deadline_ms, .nice = NICE, .stop = o->stop, .ctx = o->ctx};
    struct sandboxed_process child = SANDBOXED_NONE;

    memcpy(fds, o->fds, o->fd_count * sizeof(*fds));
    if (temporary >= 0)
        fds[task.fd_count++] = temporary;
    if (add_arguments(o, temporary >= 0, &argv) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    task.argv = argv.item;
    if ((r = sandboxed_start(&task, &child, e)) < 0)
        return r;
    if (o->started)
        o->started(o->ctx);
    if ((r = sandboxed_collect(&child, &task, &both, e)) < 0)
        return r;
    if ((r = divide(&both, ret, e)) == 0)
        ret->unfiltered = child.missing & SANDBOX_NO_SECCOMP;
    return r;
}

int analysis_make(const struct analysis_order *order, struct analysis_answer *ret, struct err *e)
{
    CLEANUP_FD int lock = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    uint64_t deadline_ms = analysis_deadline_ms(order->size);
    int r;

    assert(order->fd_count > 0 && order->fd_count < SANDBOXED_FDS_MAX && order->name && ret);
    if ((r = wait_for_turn(order, lock, deadline_ms, e)) < 0)
        return r;
    return ask(order, deadline_ms, ret, e);
}

void analysis_objects(const struct analysis_answer *a, struct small_object ret[ANALYSIS_OBJECTS])
{
    ret[0] = (struct small_object){.key = CASE_ANALYSIS_PAGE,
                                   .content_type = "text/html; charset=utf-8",
                                   .data = a->page.data,
                                   .size = a->page.size};
    /* The last: it says that both are there. */
    ret[1] = (struct small_object){
        .key = CASE_ANALYSIS, .content_type = "application/json", .data = a->json.data, .size = a->json.size};
}

int analysis_store(struct sink *sink, const char *key, const struct analysis_answer *a, struct err *e)
{
    struct small_object object[ANALYSIS_OBJECTS];
    int r = 0;

    analysis_objects(a, object);
    for (unsigned i = 0; r == 0 && i < ANALYSIS_OBJECTS; i++) {
        CLEANUP(buf_done) struct buf name = {0};

        if (case_answer_key(key, object[i].key, &name) < 0)
            return err_set(e, -ENOMEM, "out of memory");
        object[i].key = buf_text(&name);
        r = sink->ops->put(sink, &object[i], e);
    }
    return r;
}
