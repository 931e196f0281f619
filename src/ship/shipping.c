/* SPDX-License-Identifier: Apache-2.0
 *
 * One file or stream on its way, from its path or descriptor to the store.
 */
#include "ship/shipping.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/command.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/text.h"
#include "linux/interrupt.h"
#include "linux/lease.h"
#include "ship/claim.h"
#include "ship/preflight.h"

enum { WRITER_POLL_MS = 250, FIRST_MS = 1000, MOST_MS = 60 * 1000 };

/* One file or stream on its way, and what the user is told meanwhile. */
struct shipment {
    struct shipping *of;
    const char *path;                     /* a stream's name */
    const struct shipping_stream *stream; /* NULL: a file */
    bool stopped;                         /* the stream, by us or by its writer */
    int fd;
    int folder;  /* where the file lies; -1 for a stream */
    bool erases; /* the file once it is shipped */
    bool held;   /* it is the caller's: its path is for people only */
    struct claim claim;
    struct spool *spool;
    struct progress progress;
    bool state_lost;
};

static void say(struct shipment *s, const char *what, const char *text)
{
    if (s->of->logs) {
        log_event(EVENT_FAILED, LOG_STR("path", s->path), LOG_STR("error", text));
        return;
    }
    progress_clear(&s->progress);
    command_say("%s: %s", what, text);
}

static void on_progress(void *ctx, uint64_t bytes)
{
    struct shipment *s = ctx;

    progress_show(&s->progress, bytes, s->claim.size);
}

static void on_resumed(void *ctx, uint64_t bytes)
{
    struct shipment *s = ctx;
    char size[TEXT_SIZE_MAX], text[80];

    snprintf(text, sizeof(text), "going on behind %s that are in the store", text_format_size(bytes, size));
    say(s, s->path, text);
    progress_skip(&s->progress, bytes);
}

static void on_state_lost(void *ctx, const char *why)
{
    struct shipment *s = ctx;

    if (!s->state_lost)
        say(s, "warning: no journal, an interrupted upload would begin anew", why);
    s->state_lost = true;
}

static void on_waiting(void *ctx, const struct err *e, uint64_t delay_ms)
{
    char text[900];

    snprintf(text, sizeof(text), "%s; trying again in %.1f s", e->msg, (double)delay_ms / 1000);
    say(ctx, "warning", text);
}

static void on_unverified(void *ctx, const struct err *e)
{
    struct shipment *s = ctx;

    if (s->of->logs)
        log_event(EVENT_STORED_UNVERIFIED, LOG_STR("path", s->path), LOG_STR("error", e->msg));
    else
        say(s, "warning: stored, but it may not be read back: the store's answers to the upload count (--verify=put)",
            e->msg);
}

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

static void on_let_go(void *ctx)
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

/* Somebody may be writing still: a dump takes its time. */
static int wait_for_writer(struct shipment *s, uint64_t give_up_at, struct err *e)
{
    bool said = false;

    while (lease_probe(s->fd) == LEASE_WRITER) {
        if (!said)
            say(s, s->path, "is being written to: waiting for its writer");
        said = true;
        if (clock_mono_ms() >= give_up_at)
            return err_set(e, -FAULT_CHANGED, "%s is still being written to", s->path);
        clock_sleep_ms(WRITER_POLL_MS);
    }
    return 0;
}

/* And whether the file may be erased from it. */
static void open_folder(struct shipment *s)
{
    CLEANUP_FREE char *copy = strdup(s->path);

    s->folder = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    s->erases = s->folder >= 0 && faccessat(s->folder, ".", W_OK, AT_EACCESS) == 0;
}

/* What file and stream have in common. */
static int describe_claim(struct shipment *s, char *path, char *name, enum content content, struct err *e)
{
    struct claim *c = &s->claim;

    c->path = path;
    c->name = name;
    c->cause = strdup(s->of->cause);
    if (!c->path || !c->name || !c->cause || (s->of->jvm && !(c->jvm = strdup(s->of->jvm))) ||
        (s->of->command && !(c->command = strdup(s->of->command))))
        return err_set(e, -ENOMEM, "out of memory");
    c->cause_given = !s->of->cause_is_guess;
    c->pid = s->of->pid;
    if (!s->stream)
        c->pause = s->of->pause;
    c->kind = kind_of(c->name, content);
    c->found_ns = c->settled_ns = clock_wall_ns();
    return 0;
}

/* Pieces of one case have its time and id, and so lie in one folder of the store. */
static void put_into_case(struct shipment *s)
{
    struct shipping_case *its = s->of->its_case;

    if (!its)
        return;
    if (*its->id) {
        memcpy(s->claim.id, its->id, sizeof(s->claim.id));
        s->claim.time_ns = its->time_ns;
        return;
    }
    memcpy(its->id, s->claim.id, sizeof(its->id));
    its->time_ns = s->claim.time_ns;
}

/* Leaves nothing behind where nothing was: the folders are removed if nothing is in them. */
static void close_spool(struct shipment *s)
{
    if (!s->spool)
        return;
    unlinkat(spool_fd(s->spool), "spool", AT_REMOVEDIR);
    if (!s->of->state)
        unlinkat(s->folder, STATE_NAME, AT_REMOVEDIR);
    spool_close(TAKE_PTR(s->spool));
}

static int make_claim(struct shipment *s, const char *name, struct err *e)
{
    struct claim *c = &s->claim;
    const char *state = s->of->state;
    unsigned char head[CONTENT_HEAD_MAX];
    struct identity file;
    struct err ignored;
    ssize_t n;
    int r = identity_get(s->fd, s->of->who->machine, &file);

    if (r < 0)
        return err_set(e, r, "%s: %s", s->path, strerror(-r));
    memcpy(c->id, file.id, sizeof(c->id));
    n = file_pread(s->fd, head, sizeof(head), 0);
    r = describe_claim(s, s->held ? strdup(s->path) : realpath(s->path, NULL), strdup(name),
                       n > 0 ? content_of(head, (size_t)n) : CONTENT_OTHER, e);
    if (r < 0)
        return r;
    c->time_ns = file.birth_ns ? file.birth_ns : file.mtime_ns;
    put_into_case(s);
    c->size = file.size;
    c->owner = s->held && s->of->pid ? s->of->uid : file.uid;
    c->in_place = true;
    c->erase = s->erases;
    r = spool_open(state ? AT_FDCWD : s->folder, state ? state : STATE_NAME, false, &s->spool, state ? e : &ignored);
    if (r < 0 && state)
        return r;
    if (r == 0 && (r = spool_add(s->spool, c, &ignored)) < 0) {
        on_state_lost(s, ignored.msg);
        spool_discard(s->spool, c);
        close_spool(s);
    }
    c->spool = s->spool;
    return 0;
}

static int make_stream_claim(struct shipment *s, struct err *e)
{
    const struct shipping_stream *stream = s->stream;
    pid_t pid = s->of->pid ? (pid_t)s->of->pid : getpid();
    struct claim *c = &s->claim;
    int r = describe_claim(s, strdup(stream->name), strdup(stream->name), CONTENT_OTHER, e);

    if (r < 0)
        return r;
    c->time_ns = c->found_ns;
    c->size = stream->expected_size;
    c->owner = stream->uid;
    if (identity_of_stream(s->of->who->machine, pid, stream->started_ns, c->time_ns, c->id) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    put_into_case(s);
    return 0;
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
        .progress = on_progress,
        .resumed = on_resumed,
        .state_lost = on_state_lost,
        .waiting = on_waiting,
        .unverified = on_unverified,
        .ctx = s,
    };
    int r;

    if (s->stream) {
        job.source = INTAKE_STREAM;
        job.stop = on_stop;
        job.ended = on_ended;
        job.partial = on_partial;
        job.pause = on_pause;
        job.let_go = on_let_go;
    }
    r = s->of->sink ? 0 : sink_open(&s->of->plan->sink, &s->of->sink, e);

    job.sink = s->of->sink;
    return r < 0 ? r : job_run(&job, result, e);
}

/* Passing trouble is waited out; what an operator must mend ends the command: somebody is sitting here. */
static int try_until_done(struct shipment *s, uint64_t give_up_at, struct job_result *result, struct err *e)
{
    struct backoff backoff = {.first_ms = FIRST_MS, .most_ms = MOST_MS};
    int r;

    for (;;) {
        uint64_t delay;

        *e = (struct err){0};
        r = try_once(s, result, e);
        if (r == 0 || fault_find(r)->retry != RETRY_SOON || r == -FAULT_CHANGED || r == -FAULT_LOCKED)
            return r;
        delay = backoff_next(&backoff, e->retry_after_ms);
        if (clock_mono_ms() + delay >= give_up_at)
            return r;
        on_waiting(s, e, delay);
        clock_sleep_ms(delay);
    }
}

static void log_shipped(const struct job_result *result, const char *url)
{
    const struct manifest *m = &result->manifest;
    char pause[PAUSE_TEXT_MAX];

    log_event(EVENT_SHIPPED, LOG_STR("key", m->key), LOG_STR("url", url), LOG_UINT("bytes", m->size),
              LOG_UINT("stored", m->stored_size), LOG_STR("cause", m->cause), LOG_STR("partial", m->partial),
              LOG_STR("pause", m->pause.by ? pause_print(&m->pause, pause) : NULL), LOG_STR("verified", m->verified));
}

static int report(struct shipment *s, const struct job_result *result)
{
    CLEANUP(buf_done) struct buf json = {0};
    CLEANUP_FREE char *url = sink_object_url(&s->of->plan->sink, result->manifest.key);
    char size[TEXT_SIZE_MAX];

    if (s->of->logs) {
        log_shipped(result, url);
        return 0;
    }
    if (result->already)
        say(s, s->path, "was in the store already");
    if (result->manifest.partial)
        say(s, "warning: the dump is not whole", result->manifest.partial);
    if (s->of->json && manifest_encode(&result->manifest, &json) == 0)
        fputs(buf_text(&json), stdout);
    else if (s->of->sentence)
        printf("salvage: %s: %s of process %" PRIu64 " (%s) shipped to %s\n", s->of->cause, result->manifest.kind,
               s->of->pid, text_format_size(result->manifest.size, size), url ? url : result->manifest.key);
    else
        return command_put(url ? url : result->manifest.key);
    return fflush(stdout) == 0 ? 0 : -EIO;
}

static void shipment_done(struct shipment *s)
{
    close_spool(s);
    claim_done(&s->claim);
    if (s->fd >= 0)
        close(s->fd);
    if (s->folder >= 0)
        close(s->folder);
}

static int ship_open_file(struct shipment *s, const char *name, uint64_t give_up_at, struct err *e)
{
    CLEANUP(job_result_done) struct job_result result = {0};
    int r = make_claim(s, name, e);

    if (r < 0)
        return r;
    progress_show(&s->progress, 0, s->claim.size);
    r = try_until_done(s, give_up_at, &result, e);
    if (r < 0) {
        progress_clear(&s->progress);
        return r;
    }
    s->claim.size = result.manifest.size;
    s->claim.mtime_ns = result.mtime_ns;
    if (s->of->shipped)
        *s->of->shipped = (struct shipped){s->claim.size, result.manifest.partial != NULL};
    progress_end(&s->progress, s->claim.size, s->claim.size);
    if ((r = report(s, &result)) < 0)
        return err_set(e, r, "cannot write to stdout");
    return spool_finish(s->spool, &s->claim, s->of->who->machine, s->of->plan->keep, e);
}

static uint64_t end_of_patience(const struct shipping *shipping)
{
    return shipping->plan->give_up_ms ? clock_mono_ms() + shipping->plan->give_up_ms : UINT64_MAX;
}

int shipping_file(struct shipping *shipping, const char *path, struct err *e)
{
    CLEANUP(shipment_done) struct shipment s = {.of = shipping, .path = path, .fd = -1, .folder = -1};
    uint64_t give_up_at = end_of_patience(shipping);
    CLEANUP_FREE char *copy = strdup(path);
    int r;

    if (!copy)
        return err_set(e, -ENOMEM, "out of memory");
    progress_begin(&s.progress, path);
    if ((r = open_file(&s, e)) < 0 || (r = wait_for_writer(&s, give_up_at, e)) < 0)
        return r;
    open_folder(&s);
    return ship_open_file(&s, basename(copy), give_up_at, e);
}

int shipping_held(struct shipping *shipping, int fd, int folder, const char *name, const char *path, struct err *e)
{
    CLEANUP(shipment_done)
    struct shipment s = {.of = shipping, .path = path, .fd = -1, .folder = -1, .held = true};

    if ((s.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0 ||
        (folder >= 0 && (s.folder = fcntl(folder, F_DUPFD_CLOEXEC, 0)) < 0))
        return err_set(e, -errno, "%s: %s", path, strerror(errno));
    progress_begin(&s.progress, path);
    return ship_open_file(&s, name, end_of_patience(shipping), e);
}

/* Only the sink's own tries are left to a stream; whoever has to begin anew should know why. */
static int tell_once(const struct shipment *s, int result, struct err *e)
{
    struct err story = *e;

    if (s->stopped || fault_find(result)->retry != RETRY_SOON || result == -ETIMEDOUT)
        return result;
    return err_set(e, result, "%.650s; nothing of %.60s is stored, and a stream cannot be read twice", story.msg,
                   s->path);
}

int shipping_stream(struct shipping *shipping, const struct shipping_stream *stream, struct manifest *ret,
                    struct err *e)
{
    CLEANUP(shipment_done)
    struct shipment s = {.of = shipping, .path = stream->name, .stream = stream, .fd = stream->fd, .folder = -1};
    CLEANUP(job_result_done) struct job_result result = {0};
    int r = make_stream_claim(&s, e);

    if (r < 0)
        return r;
    progress_begin(&s.progress, s.path);
    if ((r = try_once(&s, &result, e)) < 0) {
        progress_clear(&s.progress);
        return tell_once(&s, r, e);
    }
    progress_end(&s.progress, result.manifest.size, result.manifest.size);
    if ((r = report(&s, &result)) < 0)
        return err_set(e, r, "cannot write to stdout");
    if (ret) {
        *ret = result.manifest;
        result.manifest = (struct manifest){0};
    }
    return 0;
}

int shipping_try_store(struct shipping *s, uint64_t patience_ms, struct err *e)
{
    return preflight(s->plan, s->who, s->facts, patience_ms, &s->sink, e);
}
