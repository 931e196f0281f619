/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage worker: what `watch` starts to ship claims, one after the other, told through descriptor 3. Not for people.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "agent/job.h"
#include "agent/wire.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/watch.h"
#include "format/template.h"

enum { FOLLOW_NICE = 4, CHANNEL = 3, PROGRESS_EVERY_MS = 1000 };

struct worker {
    bool complete; /* the followed file is */
    bool state_lost;
};

static void on_progress(void *ctx, uint64_t bytes)
{
    (void)ctx;
    wire_send(CHANNEL, &(struct wire){.type = WIRE_PROGRESS, .a = bytes});
}

static void on_resumed(void *ctx, uint64_t bytes)
{
    (void)ctx;
    wire_send(CHANNEL, &(struct wire){.type = WIRE_RESUMED, .a = bytes});
}

static void on_state_lost(void *ctx, const char *why)
{
    struct worker *w = ctx;

    if (!w->state_lost)
        wire_send(CHANNEL, &(struct wire){.type = WIRE_STATE_LOST, .text = (char *)why});
    w->state_lost = true;
}

static void on_waiting(void *ctx, const struct err *e, uint64_t delay_ms)
{
    (void)ctx;
    wire_send(CHANNEL, &(struct wire){.type = WIRE_WAITING, .a = delay_ms, .text = (char *)e->msg});
}

static int on_complete(void *ctx, uint64_t delay_ms)
{
    struct worker *w = ctx;
    struct pollfd channel = {.fd = CHANNEL, .events = POLLIN};
    struct wire message = {.fd = {-1, -1}};
    int r;

    if (w->complete)
        return 1;
    if (poll(&channel, 1, (int)delay_ms) <= 0)
        return 0;
    r = wire_receive(CHANNEL, &message);
    if (r <= 0)
        return -FAULT_LATER;
    w->complete = message.type == WIRE_COMPLETE;
    wire_done(&message);
    return w->complete;
}

/* What the loop logs and erases by; the whole manifest may be larger than a message. */
static int send_result(const struct job_result *result)
{
    CLEANUP(buf_done) struct buf text = {0};
    const struct manifest *m = &result->manifest;
    struct manifest brief = {.key = m->key,
                             .codec = m->codec,
                             .cause = m->cause,
                             .partial = m->partial,
                             .size = m->size,
                             .stored_size = m->stored_size};
    int r;

    memcpy(brief.sha256, m->sha256, sizeof(brief.sha256));
    memcpy(brief.stored_sha256, m->stored_sha256, sizeof(brief.stored_sha256));
    r = manifest_encode(&brief, &text);
    return r < 0 ? r
                 : wire_send(CHANNEL, &(struct wire){.type = WIRE_SHIPPED,
                                                     .a = result->already,
                                                     .b = (uint64_t)result->mtime_ns,
                                                     .text = text.data});
}

static int do_job(const struct plan *plan, const struct whoami *who, struct sink **sink, const struct wire *message,
                  struct job_result *result, struct err *e)
{
    CLEANUP(claim_done) struct claim claim = {0};
    struct worker w = {0};
    struct job job = {
        .plan = plan,
        .who = who,
        .claim = &claim,
        .fd = message->fd[0],
        .claim_dir = message->fd[1],
        .follow = message->a != 0,
        .progress = on_progress,
        .resumed = on_resumed,
        .state_lost = on_state_lost,
        .waiting = on_waiting,
        .complete = on_complete,
        .ctx = &w,
    };
    int r;

    /* Beside a JVM that writes its dump we take what it leaves. An unprivileged process can't take this back; what is
     * left to do after the dump is short. */
    if (job.follow)
        setpriority(PRIO_PROCESS, 0, FOLLOW_NICE);
    if ((r = claim_decode(message->text, strlen(message->text), &claim)) < 0)
        return err_set(e, r, "the claim makes no sense");
    if (!*sink && (r = sink_open(&plan->sink, sink, e)) < 0)
        return r;
    job.sink = *sink;
    return job_run(&job, result, e);
}

/* The evidence is closed before the loop hears of the end, and erases it: else the room would not be free. */
static void do_and_tell(const struct plan *plan, const struct whoami *who, struct sink **sink, struct wire *message)
{
    CLEANUP(job_result_done) struct job_result result = {0};
    struct err e = {0};
    int r = do_job(plan, who, sink, message, &result, &e);

    wire_done(message);
    if (r == 0 && send_result(&result) < 0)
        r = err_set(&e, -EIO, "the manifest is too large");
    if (r < 0)
        wire_send(CHANNEL, &(struct wire){.type = WIRE_FAILED, .code = r, .a = e.retry_after_ms, .text = e.msg});
}

static bool is_ours(void *ctx, const char *key)
{
    const struct plan *plan = ctx;

    return template_match(plan->template, key);
}

/* Uploads that nobody will finish any more: of pods that are gone, with their journals. */
static void sweep(const struct plan *plan, struct sink *sink)
{
    int64_t before = clock_wall_ns() - (int64_t)plan->abandoned_ms * 1000000;
    unsigned count = 0;
    struct err ignored;

    if (sink && sink->ops->sweep)
        sink->ops->sweep(sink, before, is_ours, (void *)plan, &count, &ignored);
    wire_send(CHANNEL, &(struct wire){.type = WIRE_SWEPT, .a = count});
}

static int serve(const struct plan *plan, const struct whoami *who)
{
    struct sink *sink = NULL;
    struct wire message = {.fd = {-1, -1}};
    int r;

    while ((r = wire_receive(CHANNEL, &message)) == 1) {
        if (message.type == WIRE_JOB)
            do_and_tell(plan, who, &sink, &message);
        if (message.type == WIRE_SWEEP)
            sweep(plan, sink);
        wire_done(&message);
    }
    sink_close(sink);
    return r < 0 ? 1 : 0;
}

static int run(int argc, char **argv)
{
    struct watch_options o = {0};
    CLEANUP(plan_done) struct plan plan = {0};
    CLEANUP(whoami_done) struct whoami who = {0};
    CLEANUP_FREE char **dirs = NULL;
    struct err e = {0};
    int r = watch_parse(argc, argv, &o, &dirs, &e);

    if (r < 0 || (r = plan_init(&plan, &o.plan, &e)) < 0)
        return command_fail(r, &e);
    if (whoami_get("/", &who) < 0)
        return command_error(-ENOMEM, "out of memory");
    return serve(&plan, &who);
}

const struct command CMD_WORKER = {
    .name = "worker",
    .args = "",
    .summary = "ships claims for watch",
    .hidden = true,
    .run = run,
};
