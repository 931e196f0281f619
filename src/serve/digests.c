/* SPDX-License-Identifier: Apache-2.0
 *
 * A file is read by the child itself, what lies in blocks by blocks, all else decoded here and streamed to it.
 */
#include "serve/digests.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/dump_source.h"
#include "serve/answer_store.h"
#include "serve/background.h"
#include "serve/plain_object.h"
#include "serve/root.h"
#include "serve/serve_sink.h"
#include "ship/analysis_request.h"
#include "ship/case_facts.h"
#include "ship/digest_stage.h"
#include "ship/evidence_summary.h"
#include "ship/manifest_summary.h"

enum {
    WAITING_OF_ONE = 2000, /* a day of a cluster in trouble */
    WAITING_MOST = 10000,
    CACHE_BYTES = 32 * 1024 * 1024,
    PIECE = 256 * 1024,
    GRACE_MS = 1000,
    HEAP_LEAST = 64 * 1024 /* as of a shipper */
};

struct digests {
    struct serve *serve;
    struct background *background;
};

static bool on_stop(void *ctx)
{
    const struct digests *d = ctx;

    return background_stops(d->background);
}

/* One piece of evidence. */
struct digesting {
    struct digests *digests;
    const char *key;
    uint64_t since_ms; /* when it came */
    struct manifest manifest;
    bool bare; /* it has none */
    const struct codec_ops *codec;
    struct object_info info;
    struct digest_source evidence; /* what the child is asked */
};

static int load_manifest(struct sink *sink, const char *key, struct buf *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf name = {0};
    void *connection = NULL;
    int r = buf_printf(&name, "%s" MANIFEST_SUFFIX, key);

    if (r < 0)
        return err_set(e, r, "out of memory");
    r = sink->ops->load(sink, &connection, buf_text(&name), ret, e);
    sink->ops->load_end(connection);
    return r;
}

/* Without a manifest the name says what it is, until its content does. */
static int take_manifest(struct digesting *now, const struct buf *text, struct err *e)
{
    now->bare = text->size == 0;
    if (!now->bare)
        return manifest_decode(buf_text(text), text->size, &now->manifest, e);
    now->manifest.size = now->info.size;
    now->manifest.kind = strdup("heap-dump");
    return now->manifest.kind ? 0 : err_set(e, -ENOMEM, "out of memory");
}

/* 0; 1: it has a summary. */
static int read_manifest(struct digesting *now, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = MANIFEST_MAX};
    struct serve *s = now->digests->serve;
    struct sink *sink = NULL;
    int r = serve_sink_take(s, &sink, e);

    if (r < 0)
        return r;
    if ((r = load_manifest(sink, now->key, &text, e)) == 0 || r == -FAULT_NO_OBJECT)
        r = sink->ops->stat(sink, now->key, &now->info, e);
    serve_sink_give(s, sink);
    if (r == 0)
        r = take_manifest(now, &text, e);
    return r < 0 ? r : now->manifest.summary != NULL;
}

/* 0; 1: such evidence has no summary. */
static int recognise(struct digesting *now, struct err *e)
{
    CLEANUP(plain_object_close) struct plain_object o = {.fd = -1};
    char head[CONTENT_HEAD_MAX];
    ssize_t n;
    int r = plain_object_open(now->digests->serve, now->key, &now->info, &o, e);

    if (r < 0)
        return r;
    if ((r = plain_object_begin(&o, sizeof(head))) < 0 ||
        (r = (int)(n = plain_object_read(&o, head, sizeof(head)))) < 0)
        return err_set(e, r == -EBADMSG || r == -E2BIG ? -FAULT_FORMAT : r, "it can't be decoded");
    now->evidence = (struct digest_source){.kind = now->manifest.kind,
                                           .content = content_of(head, (size_t)n),
                                           .fd = -1,
                                           .deadline_ms = analysis_deadline_ms(now->manifest.size),
                                           .stop = on_stop,
                                           .ctx = now->digests};
    now->codec = plain_reader_codec(o.reader);
    return !digest_stage_exists(&now->evidence) ||
           (now->evidence.content == CONTENT_HPROF && now->manifest.size < HEAP_LEAST);
}

/* Decoded here. */
static int feed(struct digesting *now, struct digest_stage *stage, uint64_t *ret_size, struct err *e)
{
    CLEANUP(plain_object_close) struct plain_object o = {.fd = -1};
    CLEANUP_FREE char *piece = malloc(PIECE);
    ssize_t n;
    int r = piece ? plain_object_open(now->digests->serve, now->key, &now->info, &o, e)
                  : err_set(e, -ENOMEM, "out of memory");

    if (r < 0)
        return r;
    if ((r = plain_object_begin(&o, UINT64_MAX)) < 0)
        return err_set(e, r, "out of memory");
    while ((n = plain_object_read(&o, piece, PIECE)) > 0) {
        *ret_size += (uint64_t)n;
        if (on_stop(now->digests))
            return err_set(e, -ECANCELED, "stopped");
        if (!digest_stage_feed(stage, piece, (size_t)n))
            return 0; /* its answer says why */
    }
    return n < 0 ? err_set(e, n == -EBADMSG || n == -E2BIG ? -FAULT_FORMAT : (int)n, "it can't be decoded") : 0;
}

/* A heap dump that others have compressed: the child unpacks a file itself, and reads it again for names. */
static void use_packed_file(struct digesting *now, const struct dump_source *source)
{
    now->evidence.fd = source->file;
    now->evidence.content = now->codec == &CODEC_GZIP ? CONTENT_HPROF_GZIP : CONTENT_OTHER;
}

static int ask(struct digesting *now, struct dump_source *source, struct digest_answer *ret, struct err *e)
{
    bool blocks = source->fd_count == 2,
         packed = source->file >= 0 && now->evidence.content == CONTENT_HPROF && !blocks,
         file = source->fd_count == 1 || packed;
    struct digest_stage *stage = NULL;
    uint64_t size = source->size;
    int r;

    if (blocks)
        now->evidence.blocks = source->fd;
    if (packed)
        use_packed_file(now, source);
    else if (file)
        now->evidence.fd = source->fd[0];
    if ((r = digest_stage_new(&now->evidence, &stage, e)) < 0)
        return r;
    dump_source_started(source);
    if (!blocks && !file) {
        size = 0;
        r = feed(now, stage, &size, e);
    }
    digest_stage_end(stage, size);
    if (r == 0)
        r = digest_stage_collect(stage, ret, e);
    digest_stage_free(stage);
    return r;
}

static int make(struct digesting *now, struct digest_answer *ret, struct err *e)
{
    struct serve *s = now->digests->serve;
    struct sink_config config = *s->config.store;
    const struct dump_source_limits limits = {
        .cache_bytes = CACHE_BYTES, .folder = -1, .packed_stays = true, .stop = on_stop, .ctx = now->digests};
    struct dump_source source = DUMP_SOURCE_NONE;
    struct err lost = {0};
    int r, read, fd;

    config.notice = NULL;
    if (s->root_fd < 0)
        r = dump_source_of_object(&source, &config, now->key, &limits, e);
    else if ((fd = root_open(s->root_fd, now->key, O_RDONLY | O_NONBLOCK)) < 0)
        r = err_set(e, fd == -ENOENT ? -FAULT_NO_OBJECT : fd, "it can't be opened");
    else
        r = dump_source_of_file(&source, fd, &limits, e);
    if (r >= 0)
        r = ask(now, &source, ret, e);
    read = dump_source_close(&source, &lost);
    if (r < 0 && r != -ECANCELED && read < 0) {
        *e = lost;
        return read;
    }
    return r;
}

/* Who has just put the manifest may still compare its size with what was sent. */
static void wait_for_shipper(const struct digesting *now)
{
    while (clock_left_ms(now->since_ms + GRACE_MS) > 0 && !on_stop(now->digests))
        clock_sleep_ms(20);
}

static int store(struct digesting *now, const struct digest_answer *a, struct err *e)
{
    struct serve *s = now->digests->serve;
    const struct small_object json = {
        .key = CASE_DIGEST, .content_type = "application/json", .data = a->json.data, .size = a->json.size};
    struct sink *sink = NULL;
    int r = a->json.size > 0 ? answer_store(s, &(struct found_answer){now->key, &json, 1}, e) : 0;

    if (r == 0 && !now->bare)
        wait_for_shipper(now);
    if (r == 0 && !now->bare && (*a->summary.sentence || a->summary.top_count > 0) &&
        (r = serve_sink_take(s, &sink, e)) == 0) {
        r = manifest_store_summary(sink, now->key, &a->summary, e);
        catalogue_changed(s->catalogue, now->key);
    }
    serve_sink_give(s, sink);
    return r == -EALREADY ? 0 : r; /* another server was faster */
}

/* 0; 1: there is nothing to do. */
static int digest(struct digesting *now, struct digest_answer *ret, struct err *e)
{
    int r = read_manifest(now, e);

    if (r == 0)
        r = recognise(now, e);
    if (r == 0)
        r = make(now, ret, e);
    if (r == 0 && !*ret->summary.sentence && ret->summary.top_count == 0 && ret->json.size == 0)
        r = 1; /* it says nothing */
    if (r == 0)
        r = store(now, ret, e);
    return r == -FAULT_NO_OBJECT ? 1 : r; /* removed meanwhile */
}

static int attempt(struct digests *d, const struct work *w, struct digest_answer *ret, struct err *e)
{
    struct digesting now = {.digests = d, .key = w->key, .since_ms = w->since_ms};
    int r = digest(&now, ret, e);

    manifest_done(&now.manifest);
    return r;
}

static int on_work(void *ctx, const struct work *w, struct err *e)
{
    CLEANUP(digest_answer_done) struct digest_answer answer = {0};
    struct digests *d = ctx;
    uint64_t began_ms = clock_mono_ms();
    int r = attempt(d, w, &answer, e);

    for (unsigned i = 0; r < 0 && background_tries_again(d->background, i, r); i++) {
        digest_answer_done(&answer);
        r = attempt(d, w, &answer, e);
    }
    if (answer.unfiltered)
        background_unfiltered();
    if (r == 0)
        log_event(EVENT_DIGESTED, LOG_STR("key", w->key),
                  LOG_REAL("seconds", (double)(clock_mono_ms() - began_ms) / 1e3),
                  LOG_STR("summary", *answer.summary.sentence ? answer.summary.sentence : NULL));
    else if (r < 0 && r != -ECANCELED)
        log_event(EVENT_DIGEST_FAILED, LOG_STR("key", w->key), LOG_STR("fault", fault_find(r)->name),
                  LOG_STR("error", e->msg));
    return r;
}

int digests_new(struct serve *s, struct digests **ret, struct err *e)
{
    CLEANUP_FREE struct digests *d = calloc(1, sizeof(*d));
    int r;

    assert(s && ret);
    if (!d)
        return err_set(e, -ENOMEM, "out of memory");
    d->serve = s;
    if ((r = background_new(&(struct background_config){on_work, d, WAITING_OF_ONE, WAITING_MOST}, &d->background, e)) <
        0)
        return r;
    *ret = TAKE_PTR(d);
    return 0;
}

int digests_begin(struct digests *d, struct err *e)
{
    return background_begin(d->background, e);
}

void digests_stop(struct digests *d)
{
    if (d)
        background_stop(d->background);
}

void digests_free(struct digests *d)
{
    if (!d)
        return;
    background_free(d->background);
    free(d);
}

/* One without a manifest is found with each listing. */
static bool is_wanted(struct digests *d, const char *key, const struct manifest *m)
{
    struct work_state state;

    if (m)
        return !m->summary && !m->top && (text_eq(m->kind, "heap-dump") || evidence_summary_exists(m->kind));
    background_state(d->background, key, &state);
    return state.phase == WORK_NONE;
}

void digests_arrived(struct digests *d, const char *key, const struct manifest *m)
{
    struct err e = {0};

    if (is_wanted(d, key, m) &&
        background_add(d->background, &(struct work){.id = (char *)key, .key = (char *)key}, &e) == -FAULT_BUSY)
        log_event(EVENT_DIGEST_FAILED, LOG_STR("key", key), LOG_STR("fault", fault_find(-FAULT_BUSY)->name),
                  LOG_STR("error", e.msg));
}

void digests_removed(struct digests *d, const char *key)
{
    background_forget(d->background, key);
}

void digests_metrics(struct digests *d, struct openmetrics *m)
{
    struct background_counts c;

    if (!d)
        return;
    background_count(d->background, &c);
    openmetrics_family(m, "salvage_digests_queued", METRIC_GAUGE, NULL, "Evidence that waits for its digest.");
    openmetrics_uint(m, NULL, NULL, c.queued);
    openmetrics_family(m, "salvage_digests", METRIC_COUNTER, NULL, "Digests that were made here, by result.");
    openmetrics_uint(m, "result", "done", c.done);
    openmetrics_uint(m, "result", "failed", c.failed);
    openmetrics_uint(m, "result", "refused", c.refused);
    openmetrics_family(m, "salvage_digests_seconds", METRIC_COUNTER, "seconds", "For how long digests were made.");
    openmetrics_real(m, NULL, NULL, c.seconds);
}
