/* SPDX-License-Identifier: Apache-2.0
 *
 * One file or stream on its way, from its path or descriptor to the store.
 */
#include "ship/shipping.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/retry.h"
#include "linux/interrupt.h"
#include "linux/lease.h"
#include "ship/preflight.h"
#include "ship/shipping_internal.h"
#include "ship/spool.h"

enum { WRITER_POLL_MS = 250 };

static int on_stop(void *ctx, struct err *e)
{
    struct shipment *s = ctx;
    int number = interrupt_caught(), r = 0;

    if (number)
        r = err_set(e, -EINTR, "%s: stopped by SIG%s, nothing of it is stored", s->path, sigabbrev_np(number));
    else if (s->stream->stop)
        r = s->stream->stop(s->stream->ctx, e);
    s->stopped = r < 0;
    return r;
}

static int on_ended(void *ctx, struct err *e)
{
    struct shipment *s = ctx;
    int r = on_stop(ctx, e);

    s->claim.settled_ns = clock_wall_ns();
    if (r == 0 && s->stream->ended)
        r = s->stream->ended(s->stream->ctx, e);
    s->stopped = r < 0;
    return r;
}

static const char *on_partial(void *ctx)
{
    const struct shipment *s = ctx;

    return s->stream->partial ? s->stream->partial(s->stream->ctx) : NULL;
}

static void on_pause(void *ctx, struct pause *ret)
{
    const struct shipment *s = ctx;

    if (s->stream->pause)
        s->stream->pause(s->stream->ctx, ret);
}

static void on_reading_ended(void *ctx)
{
    struct shipment *s = ctx;

    close(TAKE_FD(s->fd));
}

static int open_file(struct shipment *s, struct err *e)
{
    struct stat st = {0};

    s->fd = open(s->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (s->fd < 0 && errno == EACCES && stat(s->path, &st) == 0)
        return err_set(
            e, -FAULT_UNREADABLE,
            "%s may not be read: mode %04o, owned by uid %u, and this is uid %u: run salvage as uid %u, or as root",
            s->path, (unsigned)(st.st_mode & 07777), (unsigned)st.st_uid, (unsigned)geteuid(), (unsigned)st.st_uid);
    if (s->fd < 0)
        return err_set(e, errno == EACCES ? -FAULT_UNREADABLE : -errno, "%s: %s", s->path, strerror(errno));
    if (fstat(s->fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(e, -FAULT_USAGE, "%s is not a regular file", s->path);
    return 0;
}

/* A dump may still be written. */
static int wait_for_writer(struct shipment *s, struct err *e)
{
    uint64_t give_up_ms = s->of->plan->give_up_ms;
    bool said = false;

    while (lease_probe(s->fd) == LEASE_WRITER) {
        if (!said)
            shipment_say(s, s->path, "is being written to: waiting for its writer");
        said = true;
        if (give_up_ms && clock_mono_ms() - s->began_ms >= give_up_ms)
            return err_set(e, -FAULT_CHANGED, "%s is still being written to", s->path);
        clock_sleep_ms(WRITER_POLL_MS);
    }
    return 0;
}

/* Opens the file's folder, and learns whether the file may be erased from it. */
static void open_folder(struct shipment *s)
{
    CLEANUP_FREE char *copy = strdup(s->path);

    s->folder = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    s->erases = s->folder >= 0 && faccessat(s->folder, ".", W_OK, AT_EACCESS) == 0;
}

static int try_once(struct shipment *s, struct job_result *result, struct err *e)
{
    CLEANUP_FD int claim_dir = s->spool ? spool_claim_dir(s->spool, &s->claim) : -1;
    struct job job = {
        .plan = s->of->plan,
        .who = s->of->who,
        .facts = s->of->facts,
        .claim = &s->claim,
        .fd = s->fd,
        .claim_dir = claim_dir,
    };
    int r;

    shipment_report_progress(s, &job);
    if (s->stream) {
        job.source = INTAKE_STREAM;
        job.buffer = s->stream->buffer;
        job.stop = on_stop;
        job.ended = on_ended;
        job.partial = on_partial;
        job.pause = on_pause;
        job.reading_ended = on_reading_ended;
    }
    r = s->of->sink ? 0 : sink_open(&s->of->plan->sink, &s->of->sink, e);

    job.sink = s->of->sink;
    return r < 0 ? r : job_run(&job, result, e);
}

/* A fault that may pass is tried again; one that an operator has to mend ends the command. */
static int try_until_done(struct shipment *s, struct job_result *result, struct err *e)
{
    const struct retry_policy policy = {.soon = {1000, 60 * 1000}, .give_up_ms = s->of->plan->give_up_ms};
    struct retry_state retry = {.since_ms = s->began_ms};
    int r;

    for (;;) {
        struct retry_decision d;

        *e = (struct err){0};
        r = try_once(s, result, e);
        if (r == 0 || r == -FAULT_CHANGED || r == -FAULT_LOCKED)
            return r;
        d = retry_decide(&retry, &policy, r, e->retry_after_ms, clock_mono_ms());
        if (d.verdict != RETRY_WAIT)
            return r;
        shipment_waiting(s, e, d.delay_ms);
        clock_sleep_ms(d.delay_ms);
    }
}

static void shipment_done(struct shipment *s)
{
    shipment_close_spool(s);
    claim_done(&s->claim);
    if (s->fd >= 0)
        close(s->fd);
    if (s->folder >= 0)
        close(s->folder);
}

static int claim_and_ship(struct shipment *s, const char *name, struct err *e)
{
    CLEANUP(job_result_done) struct job_result result = {0};
    int r = shipment_claim_file(s, name, e);

    if (r < 0)
        return r;
    progress_show(&s->progress, 0, s->claim.size);
    r = try_until_done(s, &result, e);
    if (r < 0) {
        progress_clear(&s->progress);
        return r;
    }
    s->claim.size = result.manifest.size;
    s->claim.mtime_ns = result.mtime_ns;
    if (s->of->shipped)
        *s->of->shipped = (struct shipped){s->claim.size, result.manifest.partial != NULL};
    progress_end(&s->progress, s->claim.size, s->claim.size);
    if ((r = shipment_report(s, &result)) < 0)
        return err_set(e, r, "cannot write to stdout");
    return spool_finish(s->spool, &s->claim, s->of->who->machine, s->of->plan->keep, e);
}

int shipping_file(struct shipping *shipping, const char *path, struct err *e)
{
    CLEANUP(shipment_done)
    struct shipment s = {.of = shipping, .began_ms = clock_mono_ms(), .path = path, .fd = -1, .folder = -1};
    CLEANUP_FREE char *copy = strdup(path);
    int r;

    assert(shipping->plan && shipping->who && shipping->facts && shipping->cause);
    if (!copy)
        return err_set(e, -ENOMEM, "out of memory");
    progress_begin(&s.progress, path);
    if ((r = open_file(&s, e)) < 0 || (r = wait_for_writer(&s, e)) < 0)
        return r;
    open_folder(&s);
    return claim_and_ship(&s, basename(copy), e);
}

int shipping_open_file(struct shipping *shipping, const struct open_file *file, struct err *e)
{
    CLEANUP(shipment_done)
    struct shipment s = {
        .of = shipping, .began_ms = clock_mono_ms(), .path = file->path, .fd = -1, .folder = -1, .held = true};

    assert(file->fd >= 0 && file->name && file->path && shipping->plan && shipping->who && shipping->facts &&
           shipping->cause);
    if ((s.fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0)) < 0 ||
        (file->folder >= 0 && (s.folder = fcntl(file->folder, F_DUPFD_CLOEXEC, 0)) < 0))
        return err_set(e, -errno, "%s: %s", file->path, strerror(errno));
    progress_begin(&s.progress, file->path);
    return claim_and_ship(&s, file->name, e);
}

/* A stream can't be read twice: the error says that its writer has to begin again. */
static int explain_stream_failure(const struct shipment *s, int result, struct err *e)
{
    struct err before = *e;

    if (s->stopped || fault_find(result)->retry != RETRY_SOON || result == -ETIMEDOUT)
        return result;
    return err_set(e, result, "%.650s; nothing of %.60s is stored, and a stream cannot be read twice", before.msg,
                   s->path);
}

int shipping_stream(struct shipping *shipping, const struct shipping_stream *stream, struct manifest *ret,
                    struct err *e)
{
    CLEANUP(shipment_done)
    struct shipment s = {.of = shipping,
                         .began_ms = clock_mono_ms(),
                         .path = stream->name,
                         .stream = stream,
                         .fd = stream->fd,
                         .folder = -1};
    CLEANUP(job_result_done) struct job_result result = {0};
    int r = shipment_claim_stream(&s, e);

    assert(stream->fd >= 0 && shipping->plan && shipping->who && shipping->facts && shipping->cause);
    if (r < 0)
        return r;
    progress_begin(&s.progress, s.path);
    if ((r = try_once(&s, &result, e)) < 0) {
        progress_clear(&s.progress);
        return explain_stream_failure(&s, r, e);
    }
    progress_end(&s.progress, result.manifest.size, result.manifest.size);
    if ((r = shipment_report(&s, &result)) < 0)
        return err_set(e, r, "cannot write to stdout");
    if (ret) {
        *ret = result.manifest;
        result.manifest = (struct manifest){0};
    }
    return 0;
}

int shipping_try_store(struct shipping *s, uint64_t patience_ms, struct err *e)
{
    return preflight_run(&(struct preflight){s->plan, s->who, s->facts, patience_ms}, &s->sink, e);
}
