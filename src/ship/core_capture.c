/* SPDX-License-Identifier: Apache-2.0
 *
 * Cores of living processes. Into the store: a thread copies the process into a pipe, which the job reads.
 */
#include "ship/core_capture.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/text.h"
#include "base/thread.h"
#include "linux/interrupt.h"

enum { PIPE_SIZE = 1024 * 1024, STACK_SIZE = 512 * 1024 };

const char *coring_name(const struct proc *p, char out[CORING_NAME_MAX])
{
    snprintf(out, CORING_NAME_MAX, "core.%d", (int)p->pid);
    return out;
}

/* --- into a file ----------------------------------------------------------------------------------------------------
 */

static int step(void *ctx, uint64_t written, uint64_t total)
{
    progress_show(ctx, written, total);
    return interrupt_caught();
}

int core_to_descriptor(const struct proc *p, const struct live_core_options *o, int fd, struct live_core *ret,
                       struct err *e)
{
    struct live_core_options watched = *o;
    struct progress progress;
    char name[CORING_NAME_MAX];
    int r;

    assert(p->fd >= 0 && fd >= 0);
    progress_begin(&progress, coring_name(p, name));
    watched.step = step;
    watched.ctx = &progress;
    r = live_core_write(p, &watched, fd, ret, e);
    progress_clear(&progress);
    if (r == -ECANCELED)
        return err_set(e, -EINTR, "core: stopped by SIG%s", sigabbrev_np(interrupt_caught()));
    return r;
}

int core_to_file(const struct proc *p, const struct live_core_options *o, const char *path, struct live_core *ret,
                 struct err *e)
{
    assert(p->fd >= 0 && path);
    CLEANUP_FREE char *folder_copy = strdup(path), *name_copy = strdup(path);
    CLEANUP_FD int folder = -1, fd = -1;
    char part[NAME_MAX + 1];
    const char *name;
    struct stat st;
    int r, moved;

    if (!folder_copy || !name_copy)
        return err_set(e, -ENOMEM, "out of memory");
    name = basename(name_copy);
    if (snprintf(part, sizeof(part), ".%s.part", name) >= (int)sizeof(part))
        return err_set(e, -ENAMETOOLONG, "%s: the name is too long", path);
    folder = open(dirname(folder_copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return err_set(e, -errno, "%s: %s", path, strerror(errno));
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return err_set(e, -FAULT_EXISTS, "%s is there already: it is not written over", path);
    fd = openat(folder, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(e, errno == EEXIST ? -FAULT_EXISTS : -errno, "%s beside it, where it is written: %s", path,
                       strerror(errno));
    r = core_to_descriptor(p, o, fd, ret, e);
    if (r == 0 && (moved = fsync(fd) < 0 ? -errno : file_rename_new(folder, part, folder, name)) < 0)
        r = err_set(e, moved == -EEXIST ? -FAULT_EXISTS : moved, "%s: %s", path, strerror(-moved));
    if (r < 0)
        unlinkat(folder, part, 0);
    return r;
}

/* --- into the store -------------------------------------------------------------------------------------------------
 */

struct coring {
    const struct proc *proc;
    struct live_core_options options;
    int out; /* the pipe's end; the thread closes it */
    struct live_core taken;
    struct err err;
    int result;
    atomic_bool over; /* result, taken and err may be read */
};

static void *run_snapshot(void *arg)
{
    struct coring *c = arg;

    c->result = live_core_write(c->proc, &c->options, c->out, &c->taken, &c->err);
    atomic_store(&c->over, true);
    close(TAKE_FD(c->out));
    return NULL;
}

/* Reports why the core failed, instead of that the store got nothing. */
static int has_failed(void *ctx, struct err *e)
{
    struct coring *c = ctx;

    if (!atomic_load(&c->over) || c->result >= 0)
        return 0;
    *e = c->err;
    return c->result;
}

static const char *how_partial(void *ctx)
{
    struct coring *c = ctx;

    if (!atomic_load(&c->over) || !c->taken.cut)
        return NULL;
    return c->taken.timed_out ? "its time was up before all of its memory was copied"
                              : "the process ended while its memory was copied";
}

static void pause_of_core(void *ctx, struct pause *ret)
{
    const struct coring *c = ctx;

    if (!atomic_load(&c->over) || c->result < 0)
        return;
    *ret = pause_of(PAUSE_PTRACE, c->taken.stopped_us);
    ret->consistent = c->taken.consistent < c->taken.size ? c->taken.consistent : 0;
}

static int start(struct coring *c, pthread_t *ret_thread, int *ret_fd, struct err *e)
{
    int ends[2], r;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set(e, -errno, "no pipe: %s", strerror(errno));
    fcntl(ends[1], F_SETPIPE_SZ, (int)PIPE_SIZE); /* where it may be */
    c->out = ends[1];
    if ((r = thread_start(ret_thread, STACK_SIZE, run_snapshot, c)) < 0) {
        close(ends[0]);
        close(ends[1]);
        return err_set(e, r, "cannot start a thread: %s", strerror(-r));
    }
    *ret_fd = ends[0];
    return 0;
}

int core_to_store(const struct proc *p, const struct live_core_options *o, struct shipping *s, struct live_core *ret,
                  struct err *e)
{
    struct coring c = {.proc = p, .options = *o};
    struct shipping of_process = *s;
    struct proc_status status = {0};
    struct shipping_stream stream = {
        .stop = has_failed, .ended = has_failed, .partial = how_partial, .pause = pause_of_core, .ctx = &c};
    CLEANUP(buf_done) struct buf command = {.ceiling = 64};
    char name[CORING_NAME_MAX];
    pthread_t thread = 0;
    int r;

    assert(p->fd >= 0 && s->plan);
    if ((r = proc_status(p, &status)) < 0)
        return err_set(e, r, "process %d: %s", (int)p->pid, r == -ESRCH ? "has ended" : strerror(-r));
    if (proc_started(p, &stream.started_ns) < 0)
        stream.started_ns = 0;
    if (file_load(p->fd, "comm", &command) == 0 && command.size > 0)
        command.data[strcspn(command.data, "\n")] = '\0';
    stream.name = coring_name(p, name);
    stream.uid = status.uid;
    stream.expected_size = live_core_guess(p);
    of_process.pid = (uint64_t)status.inner_pid;
    if (!of_process.command && command.size > 0)
        of_process.command = command.data;
    if ((r = start(&c, &thread, &stream.fd, e)) < 0)
        return r;
    r = shipping_stream(&of_process, &stream, NULL, e);
    s->sink = of_process.sink;
    pthread_join(thread, NULL);
    if (r == 0)
        *ret = c.taken;
    return r;
}
