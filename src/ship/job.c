/* SPDX-License-Identifier: Apache-2.0
 *
 * The straight line from file to store. A file that was followed and turns out to have been written out of order is
 * shipped a second time from its beginning, once it is complete; a stream has no second time.
 */
#include "ship/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/blocks.h"
#include "place/environment_facts.h"
#include "ship/checkpoint.h"
#include "ship/describe.h"
#include "ship/intake.h"
#include "ship/origin_reader.h"
#include "ship/part_assembly.h"
#include "store/multipart.h"

enum {
    BLOCK_SIZE = 512 * 1024,     /* measured: the best of ratio and speed at zstd:1 */
    OVERHEAD = 10 * 1024 * 1024, /* of a worker besides its blocks and parts: libraries, TLS, stacks */
    PART_WANTED = 4,             /* in flight */
    GROWTH_POLL_MS = 20,
    STREAM_POLL_MS = 200,        /* how soon a stop is noticed */
    MARKS = PLAN_THREADS_MAX + 8 /* more than blocks can be under way */
};
#define UNKNOWN_SIZE_MAX (80ull << 30) /* of an object whose end nobody knows yet: what 10,000 parts of 8 MiB hold */

/* What one attempt holds; freed in one place. */
struct attempt {
    const struct job *job;
    struct codec codec;
    struct facts facts;
    struct origin origin;
    char *key;
    struct intake intake;
    struct checkpoint *checkpoint;
    struct blocks *blocks;
    struct digest marks[MARKS];   /* the file's running digest behind each block under way; a ring */
    uint64_t submitted, gathered; /* blocks */
    struct part_assembly *assembly;
    struct upload *upload;
    struct object object;
    struct upload_past past;
    struct upload_events events;
    struct journal journal; /* an earlier run's */
    const char **receipts;
    uint64_t *sizes;
    char past_digest[DIGEST_HEX_MAX];
    uint64_t part_size;
    const char *verified; /* the manifest's word for how */
    bool unchecked;       /* what was read while the file grew */
    bool committed;
};

static const struct sink_ops *ops(const struct attempt *a)
{
    return a->job->sink->ops;
}

static void attempt_done(struct attempt *a)
{
    part_assembly_stop(a->assembly);
    if (a->upload)
        ops(a)->upload_free(a->upload);
    part_assembly_free(a->assembly);
    blocks_free(a->blocks);
    checkpoint_close(a->checkpoint);
    journal_done(&a->journal);
    intake_done(&a->intake);
    free(a->receipts);
    free(a->sizes);
    free(a->key);
    facts_done(&a->facts);
}

void job_result_done(struct job_result *r)
{
    manifest_done(&r->manifest);
}

static int no_memory(struct err *e)
{
    return err_set(e, -ENOMEM, "out of memory: a worker needs --memory of it");
}

/* Already compressed evidence gains nothing from a codec, and would get a name that lies (heap.hprof.gz.zst). */
static struct codec choose_codec(const struct plan *plan, const struct intake *in)
{
    if (!plan->codec_given && codec_is_compressed(in->head, in->head_size))
        return (struct codec){.ops = &CODEC_NONE};
    return plan->codec;
}

static int keep_data(void *ctx, const void *data, size_t size)
{
    return buf_add(ctx, data, size);
}

/* Manifests tell milliseconds. */
static bool same_millisecond(int64_t a_ns, int64_t b_ns)
{
    return a_ns / 1000000 == b_ns / 1000000;
}

/* Whether an earlier run has finished this very object: its manifest is there, and the object is whole. */
static int already_stored(struct attempt *a, struct job_result *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf path = {0}, json = {.ceiling = MANIFEST_MAX};
    CLEANUP(manifest_done) struct manifest m = {0};
    struct sink *sink = a->job->sink;
    struct object_info info;
    struct err ignored;
    int r;

    if (buf_printf(&path, "%s" MANIFEST_SUFFIX, a->key) < 0)
        return no_memory(e);
    r = sink->ops->stat(sink, buf_text(&path), &info, e);
    /* S3 denies the look at what isn't there to those who may not list; the upload will tell what we may. */
    if (r < 0)
        return r == -FAULT_NO_OBJECT || r == -FAULT_DENIED ? 0 : r;
    r = sink->ops->read(sink, buf_text(&path), 0, NULL, keep_data, &json, e);
    if (r < 0)
        return r == -FAULT_NO_OBJECT ? 0 : r;
    if (manifest_decode(buf_text(&json), json.size, &m, &ignored) < 0 || !text_eq(m.id, a->job->claim->id) ||
        m.size != a->intake.identity.size || !same_millisecond(m.time.modified, a->intake.identity.mtime_ns))
        return 0; /* not ours, or not of this file: write it anew */
    r = sink->ops->stat(sink, a->key, &info, e);
    if (r < 0 || info.size != m.stored_size)
        return r == -FAULT_NO_OBJECT || r == 0 ? 0 : r;
    ret->manifest = m;
    ret->mtime_ns = a->intake.identity.mtime_ns;
    ret->already = true;
    m = (struct manifest){0};
    return 1;
}

static void journal_head_of(const struct attempt *a, char codec_text[32], struct journal_head *ret)
{
    bool at_rest = a->intake.source == INTAKE_FILE;

    /* Size and time of a file that still grows are unknown: a journal with this head fits no complete file. */
    *ret = (struct journal_head){
        .store = (char *)a->job->plan->store,
        .key = a->key,
        .codec = (char *)codec_format(&a->codec, codec_text),
        .block_size = BLOCK_SIZE,
        .part_size = a->part_size,
        .file_size = at_rest ? a->intake.identity.size : 0,
        .file_mtime_ns = at_rest ? a->intake.identity.mtime_ns : 0,
    };
}

/* claim->size: a guess at a stream's. */
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
    uint64_t blocks = blocks_memory(&a->codec, plan->threads, BLOCK_SIZE), slack = a->codec.ops->bound(BLOCK_SIZE);
    struct multipart_need need;
    struct multipart_plan m;
    int r;

    if (blocks + OVERHEAD >= plan->memory)
        return err_set(e, -FAULT_USAGE, "--memory is too small for --threads %u at this level of compression",
                       plan->threads);
    need = (struct multipart_need){.object_max = object_max(a),
                                   .memory = plan->memory - blocks - OVERHEAD,
                                   .slack = slack,
                                   .part_min = ops(a)->part_min,
                                   .part_max = ops(a)->part_max,
                                   .parts_max = ops(a)->parts_max,
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
                                         .parts_max = ops(a)->parts_max,
                                         .plain = a->codec.ops == &CODEC_NONE};
    return 0;
}

/* The earlier run's parts as the sink wants them told. */
static int take_up_past(struct attempt *a, struct err *e)
{
    struct journal *j = &a->journal;
    struct digest d;
    int r;

    a->receipts = calloc(j->count, sizeof(*a->receipts));
    a->sizes = calloc(j->count, sizeof(*a->sizes));
    if (!a->receipts || !a->sizes)
        return no_memory(e);
    for (size_t i = 0; i < j->count; i++) {
        a->receipts[i] = j->parts[i].etag;
        a->sizes[i] = j->parts[i].size;
    }
    if (digest_load(&d, j->parts[j->count - 1].stored_digest) < 0)
        return err_set(e, -FAULT_FORMAT, "the journal of %s is damaged", a->job->claim->path);
    digest_hex(&d, a->past_digest);
    a->past = (struct upload_past){.token = j->token,
                                   .count = (unsigned)j->count,
                                   .receipts = a->receipts,
                                   .sizes = a->sizes,
                                   .stored_end = j->parts[j->count - 1].stored_end,
                                   .stored_digest = a->past_digest};
    r = ops(a)->upload_new(a->job->sink, &a->object, &a->past, &a->events, &a->upload, e);
    if (r < 0)
        return r;
    r = intake_resume(&a->intake, j->parts[j->count - 1].raw_end, j->parts[j->count - 1].raw_digest, e);
    if (r == 0 && (r = part_assembly_resume(a->assembly, j)) < 0)
        err_set(e, r, "the journal of %s is damaged", a->job->claim->path);
    return r;
}

/* Best effort: the store may have forgotten it long ago. */
static void forget_upload(const struct attempt *a, const char *store)
{
    struct err ignored;

    if (a->journal.token && ops(a)->abort_token && text_eq(a->journal.head.store, store))
        ops(a)->abort_token(a->job->sink, a->journal.head.key, a->journal.token, &ignored);
}

/* Goes on where an earlier run stopped, or begins; a journal that does not fit is forgotten, here and in the store. */
static int begin_upload(struct attempt *a, struct err *e)
{
    const struct job *job = a->job;
    bool have = checkpoint_load(a->checkpoint, &a->journal) == 0;
    struct journal_head head;
    char codec_text[32];
    int r;

    journal_head_of(a, codec_text, &head);
    if (have && a->journal.count > 0 && ops(a)->resumes && a->intake.source == INTAKE_FILE &&
        journal_head_same(&head, &a->journal.head)) {
        r = take_up_past(a, e);
        if (r == 0) {
            part_assembly_seal(a->assembly, &head);
            if (job->resumed)
                job->resumed(job->ctx, a->past.stored_end);
            return 0;
        }
        if (r != -FAULT_GONE)
            return r;
    }
    if (have)
        forget_upload(a, head.store);
    checkpoint_begin(a->checkpoint, &head);
    return ops(a)->upload_new(job->sink, &a->object, NULL, &a->events, &a->upload, e);
}

static int part_assembly_one(struct attempt *a, bool wait, struct err *e)
{
    struct encoded frame;
    int r = blocks_next(a->blocks, wait, &frame);

    if (r <= 0)
        return r < 0 ? err_set(e, r, "cannot compress %s: %s", a->job->claim->path, strerror(-r)) : 0;
    r = part_assembly_add(a->assembly, frame.data, frame.size, frame.raw_size, &a->marks[a->gathered++ % MARKS], e);
    blocks_release(a->blocks);
    return r < 0 ? r : 1;
}

/* While following: waits for the file to grow or to be complete. */
static int wait_for_growth(struct attempt *a, uint64_t delay_ms, struct err *e)
{
    int r = a->job->complete(a->job->ctx, delay_ms);

    if (r <= 0)
        return r < 0 ? err_set(e, r, "stopped while following %s", a->job->claim->path) : 0;
    if ((r = intake_complete(&a->intake, e)) < 0)
        return r;
    a->unchecked = true;
    blocks_limit(a->blocks, a->job->plan->threads);
    return 0;
}

/* Whether what was read while the file grew is what it holds: only then the journal may speak of the complete file. */
static int recheck(struct attempt *a, bool wait, struct err *e)
{
    struct journal_head head;
    char codec_text[32];
    int r = a->unchecked ? recheck_result(&a->intake.recheck, wait, e) : 0;

    if (r <= 0)
        return r;
    a->unchecked = false;
    journal_head_of(a, codec_text, &head);
    part_assembly_seal(a->assembly, &head);
    return 0;
}

static int may_go_on(const struct attempt *a, struct err *e)
{
    return a->job->stop ? a->job->stop(a->job->ctx, e) : 0;
}

/* A writer can be silent for as long as we are told to try. */
static int wait_for_writer(struct attempt *a, struct err *e)
{
    uint64_t patience = a->job->plan->give_up_ms, silent = clock_mono_ms() - a->intake.heard_ms;

    if (patience && silent >= patience)
        return err_set(e, -ETIMEDOUT, "nothing has come of %s for %.1f s: given up", a->job->claim->path,
                       (double)silent / 1000);
    intake_wait(&a->intake, patience && patience - silent < STREAM_POLL_MS ? (int)(patience - silent) : STREAM_POLL_MS);
    return 0;
}

static int wait_for_more(struct attempt *a, struct err *e)
{
    return a->intake.source == INTAKE_STREAM ? wait_for_writer(a, e) : wait_for_growth(a, GROWTH_POLL_MS, e);
}

static int pump(struct attempt *a, struct err *e)
{
    const struct job *job = a->job;
    bool end = false;

    for (;;) {
        bool starved = false;
        void *slot = NULL;
        int r = may_go_on(a, e);

        /* The end may come before we have caught up: from then on all processors are ours. */
        if (r == 0 && a->intake.source == INTAKE_GROWING)
            r = wait_for_growth(a, 0, e);
        if (r < 0)
            return r;
        while (!end && !starved && (slot = blocks_slot(a->blocks))) {
            ssize_t n = intake_read(&a->intake, slot, e);

            if (n < 0 && n != -EAGAIN)
                return (int)n;
            starved = n == -EAGAIN;
            end = n == 0;
            if (n > 0) {
                a->marks[a->submitted++ % MARKS] = a->intake.digest;
                blocks_submit(a->blocks, (size_t)n);
            }
        }
        if ((r = recheck(a, end, e)) < 0)
            return r;
        if (end && blocks_pending(a->blocks) == 0)
            return 0;
        if ((r = part_assembly_one(a, blocks_pending(a->blocks) > 0, e)) < 0)
            return r;
        if (starved && r == 0 && (r = wait_for_more(a, e)) < 0)
            return r;
        if (checkpoint_error(a->checkpoint) && job->state_lost)
            job->state_lost(job->ctx, strerror(-checkpoint_error(a->checkpoint)));
    }
}

/* The JVM stands still while it writes its own dump of an OutOfMemoryError: the file's times say for how long at most.
 * What was copied or moved here in another way tells nothing of that. */
static void pause_by_file(const struct attempt *a, struct manifest *m)
{
    const struct identity *file = &a->intake.identity;

    if (m->pause.by == PAUSE_UNKNOWN && a->job->source != INTAKE_STREAM &&
        text_eq(a->job->claim->kind->name, "heap-dump") && text_eq(a->job->claim->cause, "java-oom") &&
        file->birth_ns > 0 && file->mtime_ns > file->birth_ns)
        m->pause = pause_of(PAUSE_FILE, (uint64_t)(file->mtime_ns - file->birth_ns) / 1000);
}

static int write_manifest(struct attempt *a, const struct whole *whole, struct manifest *m, struct err *e)
{
    CLEANUP(buf_done) struct buf path = {0}, json = {0};
    struct sink *sink = a->job->sink;
    const struct described described = {a->job->claim, &a->origin, a->job->who, &a->facts, &a->codec};
    char reason[200];
    const char *partial = a->job->partial ? a->job->partial(a->job->ctx) : NULL;

    /* The cause, where it is known, says more than what the format lacks for it. */
    if (!partial)
        partial = intake_partial(&a->intake, reason, sizeof(reason));
    if (describe_manifest(&described, a->key, m) < 0)
        return no_memory(e);
    m->size = a->intake.identity.size;
    m->stored_size = whole->size;
    m->block_size = a->codec.ops == &CODEC_NONE ? 0 : BLOCK_SIZE;
    digest_hex(&a->intake.digest, m->sha256);
    memcpy(m->stored_sha256, whole->sha256, sizeof(m->stored_sha256));
    m->time.modified = a->intake.identity.mtime_ns;
    m->time.shipped = clock_wall_ns();
    if (a->job->pause)
        a->job->pause(a->job->ctx, &m->pause);
    pause_by_file(a, m);
    if ((partial && !(m->partial = strdup(partial))) || !(m->verified = strdup(a->verified)))
        return no_memory(e);
    if (buf_printf(&path, "%s" MANIFEST_SUFFIX, a->key) < 0 || manifest_encode(m, &json) < 0)
        return no_memory(e);
    return sink->ops->put(sink, buf_text(&path), json.data, json.size, "application/json", e);
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

static int first_look(struct attempt *a, struct err *e)
{
    int r;

    while ((r = intake_look(&a->intake, e)) == -EAGAIN)
        if ((r = may_go_on(a, e)) < 0 || (r = wait_for_writer(a, e)) < 0)
            return r;
    return r;
}

/* What the evidence says of itself. Of a file that grows what says it comes first, and may be yet to come. */
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
        if ((r = job->complete(job->ctx, GROWTH_POLL_MS)) < 0)
            return err_set(e, r, "stopped while following %s", job->claim->path);
        complete = r > 0;
    }
    return r < 0 ? err_set(e, r, "cannot read %s: %s", job->claim->path, strerror(-r)) : 0;
}

static int prepare(struct attempt *a, struct job_result *ret, struct err *e)
{
    const struct job *job = a->job;
    struct part_assembly_config config;
    int r;

    if ((r = intake_init(&a->intake, job->fd, job->who->machine, job->claim->path, BLOCK_SIZE, job->source, e)) < 0 ||
        (r = first_look(a, e)) < 0 || (r = find_origin(a, e)) < 0 ||
        (r = checkpoint_open(job->claim_dir, &a->checkpoint, e)) < 0)
        return r;
    a->codec = choose_codec(job->plan, &a->intake);
    if (environment_facts_of_claim(job->claim_dir, job->facts, &a->facts) < 0 ||
        !(a->key = describe_key(job->plan->template,
                                &(struct described){job->claim, &a->origin, job->who, &a->facts, &a->codec})))
        return no_memory(e);
    if (job->source == INTAKE_FILE && (r = already_stored(a, ret, e)) != 0)
        return r;
    if ((r = plan_memory(a, &config, e)) < 0)
        return r;
    if (part_assembly_new(&config, a->checkpoint, &a->assembly) < 0 ||
        blocks_new(&a->codec, job->plan->threads, BLOCK_SIZE, &a->blocks) < 0)
        return no_memory(e);
    if (job->source == INTAKE_GROWING) /* while the JVM writes, one processor is its own */
        blocks_limit(a->blocks, job->plan->threads > 1 ? job->plan->threads - 1 : 1);
    a->object = (struct object){.key = a->key,
                                .content_type = describe_content_type(&a->codec),
                                .id = job->claim->id,
                                .part_size = a->part_size};
    a->events = part_assembly_events(a->assembly, &(struct part_assembly_listener){a, on_confirmed, on_waiting});
    if ((r = begin_upload(a, e)) < 0)
        return r;
    part_assembly_start(a->assembly, ops(a), a->upload);
    return 0;
}

/* An empty file has no block, but gunzip and zstd want a frame all the same. */
static int add_empty_frame(struct attempt *a, struct err *e)
{
    unsigned char frame[256];
    void *encoder = NULL;
    ssize_t n;

    if (a->intake.offset > 0 || a->codec.ops == &CODEC_NONE)
        return 0;
    if (a->codec.ops->encoder_new(a->codec.level, BLOCK_SIZE, &encoder) < 0)
        return no_memory(e);
    n = a->codec.ops->encode(encoder, "", 0, frame, sizeof(frame));
    a->codec.ops->encoder_free(encoder);
    if (n < 0)
        return err_set(e, (int)n, "cannot compress %s", a->job->claim->path);
    return part_assembly_add(a->assembly, frame, (size_t)n, 0, &a->intake.digest, e);
}

/* The manifest says how. */
static int verify(struct attempt *a, const struct whole *whole, struct err *e)
{
    const struct job *job = a->job;
    bool read = job->plan->verify == PLAN_VERIFY_READ;
    int r = ops(a)->verify(a->upload, whole, read, e);

    if (r < 0)
        return r;
    if (r > 0 && read && job->unverified)
        job->unverified(job->ctx, e);
    a->verified = r > 0 ? "put" : "read";
    return 0;
}

static int writer_agrees(const struct attempt *a, struct err *e)
{
    return a->job->ended ? a->job->ended(a->job->ctx, e) : 0;
}

static int ship(struct attempt *a, struct job_result *ret, struct err *e)
{
    struct whole whole;
    int r;

    if ((r = pump(a, e)) < 0 || (r = add_empty_frame(a, e)) < 0 || (r = intake_verify(&a->intake, e)) < 0 ||
        (r = writer_agrees(a, e)) < 0 || (r = part_assembly_finish(a->assembly, a->codec.ops == &CODEC_ZSTD, e)) < 0)
        return r;
    part_assembly_whole(a->assembly, &whole);
    if ((r = ops(a)->commit(a->upload, &whole, e)) < 0)
        return r;
    a->committed = true;
    if ((r = verify(a, &whole, e)) < 0)
        return r;
    ret->mtime_ns = a->intake.identity.mtime_ns;
    return write_manifest(a, &whole, &ret->manifest, e);
}

static int attempt(const struct job *job, struct job_result *ret, struct err *e)
{
    CLEANUP(attempt_done) struct attempt a = {.job = job};
    int r = prepare(&a, ret, e);

    if (r != 0)
        return r < 0 ? r : 0;
    r = ship(&a, ret, e);
    if (r < 0 && job->let_go)
        job->let_go(job->ctx);
    part_assembly_stop(a.assembly);
    /* What can't be gone on with must not lie about in the store, nor fill it. */
    if (r < 0 && !a.committed &&
        (r == -FAULT_CHANGED || r == -FAULT_CORRUPT || r == -FAULT_FULL || a.intake.source != INTAKE_FILE))
        ops(&a)->abort(a.upload);
    return r;
}

/* Waits until a file that can't be followed is complete. */
static int wait_complete(const struct job *job, struct err *e)
{
    int r;

    while ((r = job->complete(job->ctx, 1000)) == 0)
        ;
    return r < 0 ? err_set(e, r, "stopped while waiting for %s", job->claim->path) : 0;
}

int job_run(const struct job *job, struct job_result *ret, struct err *e)
{
    CLEANUP(job_result_done) struct job_result result = {0};
    struct job plain = *job;
    int r = attempt(job, &result, e);

    if (r == -FAULT_CHANGED && job->source == INTAKE_GROWING) {
        job_result_done(&result);
        result = (struct job_result){0};
        plain.source = INTAKE_FILE;
        if ((r = wait_complete(job, e)) == 0)
            r = attempt(&plain, &result, e);
    }
    if (r < 0)
        return r;
    *ret = result;
    result = (struct job_result){0};
    return 0;
}
