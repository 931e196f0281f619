/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests a heap dump, reports its progress, and moves or ships it.
 */
#include "ship/heapdump_capture.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/command.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/text.h"
#include "hotspot/heapdump_stream.h"
#include "hotspot/heapuse.h"
#include "hotspot/jvmpause.h"
#include "linux/interrupt.h"
#include "linux/watchdog.h"
#include "ship/new_file.h"

enum {
    ANSWER_MOST = 64 * 1024 * 1024,
    GRACE_MS = 500 /* in which the store drops the upload of a stream */
};

/* --- requesting the dump
 * ------------------------------------------------------------------------------------------------------
 */

/* A signal has come, or the time is over. */
static bool is_over(void *ctx)
{
    const uint64_t *until_ms = ctx;

    return interrupt_caught() != 0 || (until_ms && *until_ms > 0 && clock_mono_ms() >= *until_ms);
}

static void show(void *ctx, uint64_t written, uint64_t expected)
{
    progress_show(ctx, written, expected > written ? expected : written);
}

static int request_of(const struct jvm *j, const struct dump_options *o, struct heapdump_request *ret, struct err *e)
{
    *ret = (struct heapdump_request){
        .folder = o->folder,
        .live = o->live,
        .gzip = o->gzip,
        .threads = o->parallel,
        .force = o->force,
        .wait = {.timeout_ms = o->timeout_ms, .stop = is_over, .ctx = (void *)&o->until_ms},
    };
    return heapuse_get(j, &ret->wait, &ret->in_use, e);
}

/* Sets the error where the time, not a signal, has ended the dump. */
static int explain_end(int result, const struct jvm *j, struct err *e)
{
    return result == -ECANCELED && !interrupt_caught()
               ? err_set(e, -FAULT_LATER, "the time is up before JVM %d has made its heap dump", (int)j->proc.pid)
               : result;
}

static int make(const struct jvm *j, const struct dump_options *o, struct heapdump *ret, struct dumped *made,
                struct err *e)
{
    struct heapdump_request rq;
    struct progress progress;
    uint64_t begun_ms = clock_mono_ms();
    char name[64];
    struct stat st;
    int r = request_of(j, o, &rq, e);

    if (r < 0)
        return explain_end(r, j, e);
    snprintf(name, sizeof(name), "dump of JVM %d", (int)j->proc.pid);
    progress_begin(&progress, name);
    rq.progress = show;
    rq.ctx = &progress;
    r = heapdump_make(j, &rq, ret, e);
    progress_clear(&progress);
    if (r < 0)
        return explain_end(r, j, e);
    made->took_ms = clock_mono_ms() - begun_ms;
    made->size = fstat(ret->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
    made->pause = ret->pause;
    made->cut = ret->cut;
    ret->cut = NULL;
    return 0;
}

/* Leaves the dump where a person or a watch finds it; the error names the path. */
static int leave(struct heapdump *d, const struct jvm *j, const struct dump_options *o, int result, struct err *e)
{
    CLEANUP_FREE char *path = NULL;
    struct err before = *e;
    int r = heapdump_leave(d, j, o->gzip > 0, &path);

    return r < 0 ? err_set(e, result, "%.500s; the dump stays as %.200s of JVM %d: %s", before.msg, d->inner,
                           (int)j->proc.pid, strerror(-r))
                 : err_set(e, result, "%.500s; the dump stays as %s", before.msg, path);
}

void dumped_done(struct dumped *d)
{
    free(d->cut);
    *d = (struct dumped){0};
}

/* --- into a file ----------------------------------------------------------------------------------------------------
 */

int dump_to_file(const struct jvm *j, const struct dump_options *o, const char *path, struct dumped *ret, struct err *e)
{
    CLEANUP(new_file_done) struct new_file to = NEW_FILE_NONE;
    CLEANUP(heapdump_done) struct heapdump d = HEAPDUMP_NONE;
    CLEANUP(dumped_done) struct dumped made = {0};
    int r;

    assert(j->proc.fd >= 0 && path);
    if ((r = new_file_open(path, &to, e)) < 0 || (r = make(j, o, &d, &made, e)) < 0)
        return r;
    if ((r = new_file_take_dump(&to, &d)) < 0) {
        r = err_set(e, r == -EEXIST ? -FAULT_EXISTS : r, "the dump of JVM %d cannot be put to %s: %s", (int)j->proc.pid,
                    path, strerror(-r));
        if (!interrupt_caught())
            return leave(&d, j, o, r, e);
        heapdump_remove(&d);
        return r;
    }
    *ret = made;
    made = (struct dumped){0};
    return 0;
}

/* --- into the store -------------------------------------------------------------------------------------------------
 */

static void set_process(const struct jvm *j, struct shipping *s)
{
    s->pid = (uint64_t)j->status.inner_pid;
    s->uid = j->status.uid;
    s->jvm = j->version;
    s->command = j->command;
}

/* What the watchdog reports when the time is up. */
struct capture {
    const struct jvm *j;
    const struct dump_options *o;
    struct heapdump *d; /* NULL: there is no local file */
    const char *what;
};

static void end(void *ctx, const char *why)
{
    const struct capture *w = ctx;
    struct err e = {0};
    int r = err_set(&e, -FAULT_LATER, "%s before %s of JVM %d is in the store%s", why, w->what, (int)w->j->proc.pid,
                    w->d ? "" : ": nothing of it is kept");

    if (w->d)
        r = leave(w->d, w->j, w->o, r, &e);
    command_fail(r, &e);
}

/* The watchdog ends the process in time even if the store does not answer. */
static int ship(const struct capture *w, struct shipping *s, const struct open_file *file, struct err *e)
{
    struct watchdog *watchdog = watchdog_start(w->o->until_ms, end, (void *)w);
    int r = watchdog ? 0 : err_set(e, -ENOMEM, "out of memory");

    set_process(w->j, s);
    if (r == 0)
        r = shipping_open_file(s, file, e);
    watchdog_stop(watchdog);
    return r;
}

int dump_to_store(const struct jvm *j, const struct dump_options *o, struct shipping *s, struct err *e)
{
    assert(j->proc.fd >= 0 && s->plan);
    CLEANUP(heapdump_done) struct heapdump d = HEAPDUMP_NONE;
    CLEANUP(dumped_done) struct dumped made = {0};
    CLEANUP_FREE char *kept = NULL;
    struct capture c = {j, o, &d, "the heap dump"};
    char name[HEAPDUMP_NAME_MAX];
    int r = make(j, o, &d, &made, e);

    if (r < 0)
        return r;
    if (o->made)
        *o->made = (struct dumped){.size = made.size, .took_ms = made.took_ms, .pause = made.pause};
    if (o->taken)
        o->taken(o->ctx);
    s->pause = made.pause;
    heapdump_name(j, o->gzip > 0, name);
    if ((r = ship(&c, s, &(struct open_file){d.fd, d.folder, name, name}, e)) < 0)
        return leave(&d, j, o, r, e);
    if (s->plan->keep)
        r = heapdump_leave(&d, j, o->gzip > 0, &kept);
    else
        heapdump_remove(&d);
    if (r < 0)
        return err_set(e, r, "the dump of JVM %d stays as %s: %s", (int)j->proc.pid, d.inner, strerror(-r));
    return made.cut
               ? err_set(e, -FAULT_SOME, "JVM %d has not written its dump to the end: %s", (int)j->proc.pid, made.cut)
               : 0;
}

struct streaming {
    struct heapdump_stream *source;
    const struct dump_options *o;
    const struct jvm *j;
    struct jvmpause begun;
    struct pause pause;
};

/* When the time is over the upload is aborted in the store; the watchdog ends the process where that takes too long. */
static int should_stop(void *ctx, struct err *e)
{
    struct streaming *s = ctx;

    if (s->o->until_ms > 0 && clock_mono_ms() >= s->o->until_ms)
        return err_set(e, -FAULT_LATER, "the time is up before the heap dump is in the store: nothing of it is kept");
    return heapdump_stream_failed(s->source) ? heapdump_stream_end(s->source, e) : 0;
}

static int ask_jvm(void *ctx, struct err *e)
{
    struct streaming *s = ctx;
    int r = heapdump_stream_end(s->source, e);

    if (r == 0)
        s->pause = jvmpause_end(s->j, &s->begun);
    return r;
}

static void pause_of_stream(void *ctx, struct pause *ret)
{
    const struct streaming *s = ctx;

    *ret = s->pause;
}

static int read_stream(const struct heapdump_request *rq, int fd, struct streaming *streaming, struct shipping *s,
                       struct err *e)
{
    const struct jvm *j = streaming->j;
    char name[HEAPDUMP_NAME_MAX];

    set_process(j, s);
    return shipping_stream(s,
                           &(struct shipping_stream){.fd = fd,
                                                     .name = heapdump_name(j, false, name),
                                                     .started_ns = j->started_ns,
                                                     .uid = j->status.uid,
                                                     .expected_size = rq->in_use ? heapdump_estimate(rq->in_use) : 0,
                                                     .stop = should_stop,
                                                     .ended = ask_jvm,
                                                     .pause = pause_of_stream,
                                                     .ctx = streaming},
                           NULL, e);
}

int dump_by_stream(const struct jvm *j, const struct dump_options *o, struct shipping *s, struct err *e)
{
    assert(j->proc.fd >= 0 && s->plan);
    struct heapdump_request rq;
    struct capture c = {j, o, NULL, "the heap dump"};
    struct streaming streaming = {.o = o, .j = j};
    struct watchdog *watchdog = NULL;
    int fd, r = request_of(j, o, &rq, e);

    if (r < 0)
        return explain_end(r, j, e);
    jvmpause_begin(j, &streaming.begun);
    if ((r = heapdump_stream_open(j, &rq, &streaming.source, &fd, e)) < 0)
        return explain_end(r, j, e);
    /* The stream itself checks for signals. */
    if (o->until_ms > 0)
        watchdog = watchdog_start(o->until_ms + GRACE_MS, end, &c);
    r = read_stream(&rq, fd, &streaming, s, e);
    watchdog_stop(watchdog);
    heapdump_stream_close(streaming.source);
    return r;
}

/* --- answers of diagnostic commands, and cases
 * ---------------------------------------------------------------------------------------------------
 */

int dump_begin_case(const struct jvm *j, const struct shipping *s, struct shipping_case *ret)
{
    ret->time_ns = clock_wall_ns();
    return identity_of_stream(s->who->machine, j->proc.pid, j->started_ns, ret->time_ns, ret->id);
}

struct writing {
    int fd;
    struct err *e;
};

static int write_text(void *ctx, const char *text, size_t size)
{
    const struct writing *w = ctx;
    int r = file_write(w->fd, text, size);

    return r < 0 ? err_set(w->e, r, "no room in memory: %s", strerror(-r)) : 0;
}

int answer_to_file(const struct jvm_request *q, int fd, struct pause *ret, struct err *e)
{
    struct attach_wait wait = {.timeout_ms = q->timeout_ms,
                               .most = q->answer_max ? q->answer_max : ANSWER_MOST,
                               .stop = is_over,
                               .ctx = (void *)&q->until_ms};
    struct writing w = {fd, e};
    struct jvmpause pause;
    int r;

    assert(q->jvm && q->diagnostic);
    jvmpause_begin(q->jvm, &pause);
    r = attach_stream(q->jvm, ATTACH_JCMD(q->diagnostic), &wait, &(struct attach_reader){write_text, &w}, e);
    if (r == 0)
        *ret = jvmpause_end(q->jvm, &pause);
    return r;
}

int answer_to_store(const struct jvm_request *q, const char *name, struct shipping *s, struct err *e)
{
    assert(name && s->plan);
    const struct dump_options options = {.until_ms = q->until_ms};
    struct capture c = {q->jvm, &options, NULL, name};
    CLEANUP_FD int fd = memfd_create(name, MFD_CLOEXEC);
    int r;

    if (fd < 0)
        return err_set(e, -errno, "no file in memory: %s", strerror(errno));
    if ((r = answer_to_file(q, fd, &s->pause, e)) < 0)
        return r;
    return ship(&c, s, &(struct open_file){fd, -1, name, name}, e);
}
