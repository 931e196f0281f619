/* SPDX-License-Identifier: Apache-2.0
 *
 * One attempt, from the first byte to the manifest. A followed file that turns out to have been written out of order is
 * shipped again from its beginning, once it is complete; a stream can't be read again.
 */
#include "ship/job.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/bandwidth.h"
#include "place/environment_facts.h"
#include "ship/describe.h"
#include "ship/job_internal.h"
#include "ship/origin_reader.h"
#include "ship/tenant.h"
#include "store/multipart.h"

enum {
    OVERHEAD = 10 * 1024 * 1024, /* of a worker besides its blocks and parts: libraries, TLS, stacks */
    PART_WANTED = 4,             /* in flight */
    STREAM_POLL_MS = 200,        /* how soon a stop is noticed */
    COMPLETE_POLL_MS = 1000      /* of a file that can't be followed */
};
#define UNKNOWN_SIZE_MAX (80ull << 30) /* for an object of unknown size: what 10,000 parts of 8 MiB hold */

static void attempt_done(struct attempt *a)
{
    digest_stage_free(a->digest);
    part_assembly_stop(a->assembly);
    if (a->upload)
        attempt_sink(a)->upload_free(a->upload);
    part_assembly_free(a->assembly);
    blocks_free(a->blocks);
    checkpoint_close(a->checkpoint);
    journal_done(&a->journal);
    intake_done(&a->intake);
    free(a->part_etags);
    free(a->sizes);
    free(a->key);
    facts_done(&a->facts);
}

void job_result_done(struct job_result *r)
{
    manifest_done(&r->manifest);
}

int attempt_no_memory(struct err *e)
{
    return err_set(e, -ENOMEM, "out of memory: a worker needs as much as --memory says");
}

/* Evidence that is compressed already gains nothing from a codec, and its name would mislead (heap.hprof.gz.zst). */
static struct codec choose_codec(const struct plan *plan, const struct intake *in)
{
    if (!plan->codec_given && codec_is_compressed(in->head, in->head_size))
        return (struct codec){.ops = &CODEC_NONE};
    return plan->codec;
}

/* The claim's size is only an estimate for a stream, and too small for a file that grows. */
static uint64_t object_max(const struct attempt *a)
{
    uint64_t guess = a->job->claim->size;

    if (a->intake.source == INTAKE_FILE)
        return a->intake.identity.size;
    return guess > UNKNOWN_SIZE_MAX ? guess : UNKNOWN_SIZE_MAX;
}

static int plan_memory(struct attempt *a, struct part_assembly_config *ret, struct err *e)
{
    const struct plan *plan = a->job->plan;
    uint64_t blocks = blocks_memory(&a->codec, plan->threads, JOB_BLOCK_SIZE),
             slack = a->codec.ops->bound(JOB_BLOCK_SIZE);
    struct multipart_need need;
    struct multipart_plan m;
    int r;

    if (blocks + OVERHEAD >= plan->memory)
        return err_set(e, -FAULT_USAGE, "--memory is too small for --threads %u at this level of compression",
                       plan->threads);
    need = (struct multipart_need){.object_max = object_max(a),
                                   .memory = plan->memory - blocks - OVERHEAD,
                                   .slack = slack,
                                   .part_min = attempt_sink(a)->part_min,
                                   .part_max = attempt_sink(a)->part_max,
                                   .parts_max = attempt_sink(a)->parts_max,
                                   .wanted = PART_WANTED};
    r = multipart_plan(&need, &m, e);
    /* Where memory is too small for an object as large as the file, count on the codec to halve it. */
    if (r < 0 && a->codec.ops != &CODEC_NONE) {
        need.object_max /= 2;
        r = multipart_plan(&need, &m, e);
    }
    if (r < 0)
        return r;
    a->part_size = m.part_size;
    *ret = (struct part_assembly_config){.part_size = m.part_size,
                                         .slack = slack,
                                         .buffers = m.in_flight + 1,
                                         .parts_max = attempt_sink(a)->parts_max,
                                         .plain = a->codec.ops == &CODEC_NONE};
    return 0;
}

/* 1: hands the oldest block's frame to the assembly; 0: it is not compressed yet. */
static int assemble_next(struct attempt *a, bool wait, struct err *e)
{
    struct encoded frame;
    int r = blocks_next(a->blocks, wait, &frame);

    if (r <= 0)
        return r < 0 ? err_set(e, r, "cannot compress %s: %s", a->job->claim->path, strerror(-r)) : 0;
    r = part_assembly_add(a->assembly, &frame, &a->digest_at[a->assembled++ % JOB_DIGESTS_MAX], e);
    blocks_release(a->blocks);
    intake_release(&a->intake);
    return r < 0 ? r : 1;
}

static int may_go_on(const struct attempt *a, struct err *e)
{
    return a->job->stop ? a->job->stop(a->job->ctx, e) : 0;
}

/* A stream's writer may be silent for as long as --give-up allows. */
static int wait_for_writer(struct attempt *a, struct err *e)
{
    uint64_t patience = a->job->plan->give_up_ms, silent = clock_mono_ms() - intake_heard_ms(&a->intake);

    if (patience && silent >= patience)
        return err_set(e, -ETIMEDOUT, "%s has delivered nothing for %.1f s: given up", a->job->claim->path,
                       (double)silent / 1000);
    intake_wait(&a->intake, patience && patience - silent < STREAM_POLL_MS ? (int)(patience - silent) : STREAM_POLL_MS);
    return 0;
}

static int wait_for_more(struct attempt *a, struct err *e)
{
    return a->intake.source == INTAKE_STREAM ? wait_for_writer(a, e) : following_wait(a, JOB_GROWTH_POLL_MS, e);
}

static int pump(struct attempt *a, struct err *e)
{
    const struct job *job = a->job;
    bool end = false;

    for (;;) {
        bool starved = false;
        void *slot = NULL;
        int r = may_go_on(a, e);

        /* The file may be complete before we have caught up: then we may use all processors. */
        if (r == 0 && a->intake.source == INTAKE_GROWING)
            r = following_wait(a, 0, e);
        if (r < 0)
            return r;
        buffered_catch_up(a);
        while (!end && !starved && (slot = blocks_slot(a->blocks))) {
            const void *block;
            ssize_t n = intake_next(&a->intake, slot, &block, e);

            if (n < 0 && n != -EAGAIN)
                return (int)n;
            starved = n == -EAGAIN;
            end = n == 0;
            if (n > 0) {
                a->digest_at[a->submitted++ % JOB_DIGESTS_MAX] = a->intake.digest;
                attempt_digest_block(a, block, (size_t)n);
                blocks_submit_at(a->blocks, block, (size_t)n);
            }
        }
        if ((r = following_recheck(a, end, e)) < 0)
            return r;
        if (end && blocks_pending(a->blocks) == 0)
            return 0;
        if ((r = assemble_next(a, blocks_pending(a->blocks) > 0, e)) < 0)
            return r;
        if (starved && r == 0 && (r = wait_for_more(a, e)) < 0)
            return r;
        if (checkpoint_error(a->checkpoint) && job->state_lost)
            job->state_lost(job->ctx, strerror(-checkpoint_error(a->checkpoint)));
    }
}

static void on_confirmed(void *ctx, uint64_t bytes)
{
    const struct attempt *a = ctx;

    if (a->job->progress)
        a->job->progress(a->job->ctx, bytes);
}

static void on_waiting(void *ctx, const struct err *e, uint64_t delay_ms)
{
    const struct attempt *a = ctx;

    if (a->job->waiting)
        a->job->waiting(a->job->ctx, e, delay_ms);
}

static int read_head(struct attempt *a, struct err *e)
{
    int r;

    while ((r = intake_read_head(&a->intake, e)) == -EAGAIN)
        if ((r = may_go_on(a, e)) < 0 || (r = wait_for_writer(a, e)) < 0)
            return r;
    return r;
}

/* Reads cause, time and process from the evidence itself. In a file that grows they may not be written yet. */
static int find_origin(struct attempt *a, struct err *e)
{
    const struct job *job = a->job;
    CLEANUP(origin_reader_done) struct origin_reader reader = {0};
    bool complete = job->source == INTAKE_FILE;
    int r;

    if (job->source == INTAKE_STREAM)
        return 0;
    origin_reader_init(&reader, job->fd, a->intake.whole.content);
    while ((r = origin_reader_read(&reader, complete, &a->origin)) == -EAGAIN) {
        if ((r = following_poll(job, JOB_GROWTH_POLL_MS, e)) < 0)
            return r;
        complete = r > 0;
    }
    return r < 0 ? err_set(e, r, "cannot read %s: %s", job->claim->path, strerror(-r)) : 0;
}

static int prepare(struct attempt *a, struct job_result *ret, struct err *e)
{
    const struct job *job = a->job;
    const struct intake_config source = {.fd = job->fd,
                                         .machine = job->who->machine,
                                         .path = job->claim->path,
                                         .block_size = JOB_BLOCK_SIZE,
                                         .source = job->source,
                                         .buffer = job->source == INTAKE_STREAM ? job->buffer : 0};
    struct part_assembly_config config;
    int r;

    if ((r = intake_init(&a->intake, &source, e)) < 0 || (r = read_head(a, e)) < 0 || (r = find_origin(a, e)) < 0 ||
        (r = checkpoint_open(job->claim_dir, &a->checkpoint, e)) < 0)
        return r;
    buffered_begin(a);
    a->codec = choose_codec(job->plan, &a->intake);
    if (environment_facts_of_claim(job->claim_dir, job->facts, &a->facts) < 0 ||
        !(a->key = describe_key(job->plan->template,
                                &(struct described){job->claim, &a->origin, job->who, &a->facts, &a->codec})))
        return attempt_no_memory(e);
    if (job->source == INTAKE_FILE && (r = attempt_already_stored(a, ret, e)) != 0)
        return r;
    if ((r = plan_memory(a, &config, e)) < 0)
        return r;
    if (part_assembly_new(&config, a->checkpoint, &a->assembly) < 0 ||
        blocks_new(&a->codec, job->plan->threads, JOB_BLOCK_SIZE, &a->blocks) < 0)
        return attempt_no_memory(e);
    if (job->source == INTAKE_GROWING)
        following_begin(a);
    a->object = (struct object){.key = a->key,
                                .content_type = describe_content_type(&a->codec),
                                .id = job->claim->id,
                                .part_size = a->part_size,
                                .size_max = a->intake.source == INTAKE_FILE ? a->intake.identity.size : 0};
    a->events = part_assembly_events(a->assembly, &(struct part_assembly_listener){a, on_confirmed, on_waiting});
    if ((r = attempt_begin_upload(a, e)) < 0)
        return r;
    part_assembly_start(a->assembly, attempt_sink(a), a->upload);
    attempt_begin_digest(a);
    return 0;
}

/* An empty file has no block, but gunzip and zstd expect at least one frame. */
static int add_empty_frame(struct attempt *a, struct err *e)
{
    unsigned char frame[256];
    void *encoder = NULL;
    ssize_t n;

    if (a->intake.offset > 0 || a->codec.ops == &CODEC_NONE)
        return 0;
    if (a->codec.ops->encoder_new(a->codec.level, JOB_BLOCK_SIZE, &encoder) < 0)
        return attempt_no_memory(e);
    n = a->codec.ops->encode(encoder, "", 0, frame, sizeof(frame));
    a->codec.ops->encoder_free(encoder);
    if (n < 0)
        return err_set(e, (int)n, "cannot compress %s", a->job->claim->path);
    return part_assembly_add(a->assembly, &(struct encoded){frame, (size_t)n, 0}, &a->intake.digest, e);
}

/* The manifest names the way in which the object was verified. */
static int verify(struct attempt *a, const struct whole *whole, struct err *e)
{
    const struct job *job = a->job;
    bool read = job->plan->verify == PLAN_VERIFY_READ;
    int r = attempt_sink(a)->verify(a->upload, whole, read, e);

    if (r < 0)
        return r;
    if (r > 0 && read && job->unverified)
        job->unverified(job->ctx, e);
    a->verified = r > 0 ? "put" : "read";
    return 0;
}

/* A stream's writer may report a failure at its end. */
static int confirm_end(const struct attempt *a, struct err *e)
{
    return a->job->ended ? a->job->ended(a->job->ctx, e) : 0;
}

static int ship(struct attempt *a, struct job_result *ret, struct err *e)
{
    struct whole whole;
    int r;

    if ((r = pump(a, e)) < 0)
        return r;
    attempt_end_digest(a);
    if ((r = add_empty_frame(a, e)) < 0 || (r = intake_verify(&a->intake, e)) < 0 || (r = confirm_end(a, e)) < 0 ||
        (r = part_assembly_finish(a->assembly, a->codec.ops == &CODEC_ZSTD, e)) < 0)
        return r;
    part_assembly_whole(a->assembly, &whole);
    if ((r = attempt_sink(a)->commit(a->upload, &whole, e)) < 0)
        return r;
    a->committed = true;
    if ((r = verify(a, &whole, e)) < 0)
        return r;
    ret->mtime_ns = a->intake.identity.mtime_ns;
    return attempt_write_manifest(a, &whole, &ret->manifest, e);
}

static int attempt(const struct job *job, struct job_result *ret, struct err *e)
{
    CLEANUP(attempt_done) struct attempt a = {.job = job};
    int r = prepare(&a, ret, e);

    if (r != 0)
        return r < 0 ? r : 0;
    r = ship(&a, ret, e);
    if (r < 0)
        intake_stop(&a.intake);
    if (r < 0 && job->reading_ended)
        job->reading_ended(job->ctx);
    part_assembly_stop(a.assembly);
    /* An upload that can't be resumed is removed from the store. So is one that the store has no room for: half uploads
     * would hold the room that others need to finish. The evidence stays, and is sent anew later. */
    if (r < 0 && !a.committed &&
        (r == -FAULT_CHANGED || r == -FAULT_CORRUPT || r == -FAULT_FULL || a.intake.source != INTAKE_FILE))
        attempt_sink(&a)->abort(a.upload);
    return r;
}

int job_run(const struct job *job, struct job_result *ret, struct err *e)
{
    CLEANUP(job_result_done) struct job_result result = {0};
    struct job plain = *job;
    int r;

    assert(job->plan && job->who && job->facts && job->sink && job->claim && job->fd >= 0);
    assert(job->source != INTAKE_GROWING || job->complete);
    bandwidth_set_tenant(job->plan->sink.http.bandwidth,
                         job->who->namespace ? tenant_of_namespace(job->who->namespace) : job->claim->owner);
    r = attempt(job, &result, e);
    if (r == -FAULT_CHANGED && job->source == INTAKE_GROWING) {
        job_result_done(&result);
        result = (struct job_result){0};
        plain.source = INTAKE_FILE;
        while ((r = following_poll(job, COMPLETE_POLL_MS, e)) == 0)
            ;
        if (r > 0)
            r = attempt(&plain, &result, e);
    }
    if (r < 0)
        return r;
    if (!result.already && job->source != INTAKE_STREAM)
        job_analyse(job, &result.manifest);
    *ret = result;
    result = (struct job_result){0};
    return 0;
}
