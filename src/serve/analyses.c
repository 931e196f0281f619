/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder's dump is read where it lies, a bucket's by ranges.
 */
#include "serve/analyses.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/dump_source.h"
#include "linux/memory_room.h"
#include "linux/volume.h"
#include "serve/answer_store.h"
#include "serve/root.h"
#include "serve/state_folder.h"
#include "ship/analysis.h"
#include "ship/case_facts.h"

enum {
    CACHE_PART = 4, /* of the memory, for plain blocks of a dump that is compressed or elsewhere */
    FREE_PART = 16, /* of the disk, that stays free */
    CHILD_LEAST = 16 * 1024 * 1024,
    WAITING_OF_ONE = 100,
    WAITING_MOST = 2000
};

struct analyses {
    struct serve *serve;
    struct background *background;
};

/* One analysis under way. */
struct analysing {
    struct analyses *analyses;
    struct sink_config store;
    struct dump_source source;
    uint64_t memory; /* bytes, for its process and for blocks of the dump */
};

static bool on_stop(void *ctx)
{
    const struct analysing *now = ctx;

    return background_stops(now->analyses->background);
}

static void on_started(void *ctx)
{
    struct analysing *now = ctx;

    dump_source_started(&now->source);
}

static_assert(ANALYSIS_MEMORY_LEAST == (int)BLOCK_CACHE_LEAST + (int)CHILD_LEAST, "what remains beside blocks");

/* Of a root the temporary files lie in its state folder: it may be the only place that can be written to. */
static int state_of(const struct serve *s)
{
    struct err ignored;

    return s->root_fd >= 0 ? state_folder_open(s->root_fd, &ignored) : -1;
}

static uint64_t cache_of(const struct analysing *now)
{
    uint64_t part = now->memory / CACHE_PART;

    return part > BLOCK_CACHE_LEAST ? part : BLOCK_CACHE_LEAST;
}

static int open_source(struct analysing *now, const char *key, struct err *e)
{
    struct serve *s = now->analyses->serve;
    CLEANUP_FD int folder = state_of(s);
    const struct dump_source_limits limits = {
        .cache_bytes = cache_of(now), .folder = folder >= 0 ? folder : -1, .stop = on_stop, .ctx = now};
    int fd;

    if (s->root_fd < 0)
        return dump_source_of_object(&now->source, &now->store, key, &limits, e);
    if ((fd = root_open(s->root_fd, key, O_RDONLY | O_NONBLOCK)) < 0)
        return err_set(e, fd == -ENOENT ? -FAULT_NO_OBJECT : fd, "it can't be opened");
    return dump_source_of_file(&now->source, fd, &limits, e);
}

/* For the graph, in the root's state folder: where that leaves room for as much again, and a sixteenth of the disk. -1:
 * none. */
static int open_temporary(const struct analysing *now)
{
    CLEANUP_FD int folder = state_of(now->analyses->serve);
    uint64_t size, left;

    if (folder < 0 || volume_space(folder, &size, &left) < 0 || left < 2 * now->source.size + size / FREE_PART)
        return -1;
    return openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* What the container has left counts, too: beyond that the kernel would kill this server. */
static int find_memory(struct analysing *now, struct err *e)
{
    uint64_t room = memory_room() / 4 * 3, most = now->analyses->serve->config.analyses.memory;
    char size[TEXT_SIZE_MAX];

    now->memory = most < room ? most : room;
    if (now->memory >= ANALYSIS_MEMORY_LEAST)
        return 0;
    return err_set(e, -ENOMEM, "this server's container has only %s of memory left for it",
                   text_format_size(now->memory, size));
}

static int explain_memory(const struct analysing *now, bool spilled, struct err *e)
{
    const struct err why = *e;
    char size[TEXT_SIZE_MAX];

    return err_set(e, -ENOMEM, "it takes more than %s, which is what %s%s: %.600s", text_format_size(now->memory, size),
                   now->memory < now->analyses->serve->config.analyses.memory ? "the limit of the container leaves"
                                                                              : "--analysis-memory gives it",
                   spilled ? "" : " (with TMPDIR, a folder with room, it would take less)", why.msg);
}

static int make(struct analysing *now, const struct work *w, struct analysis_answer *ret, struct err *e)
{
    struct analysis_order order = {
        .name = text_base_name(w->key), .temporary = -1, .started = on_started, .stop = on_stop, .ctx = now};
    CLEANUP_FD int temporary = -1;
    struct err lost = {0};
    int r = find_memory(now, e), read;

    if (r < 0)
        return r;
    if ((r = open_source(now, w->key, e)) == 0) {
        order.fds = now->source.fd;
        order.fd_count = now->source.fd_count;
        order.size = now->source.size;
        order.memory = now->source.server ? now->memory - cache_of(now) : now->memory;
        order.temporary = temporary = open_temporary(now);
        r = analysis_make(&order, ret, e);
    }
    read = dump_source_close(&now->source, &lost);
    if (r == -ENOMEM)
        return explain_memory(now, temporary >= 0 || env_get("TMPDIR"), e);
    if (r < 0 && r != -ECANCELED && read < 0) { /* the reason of what the child has said */
        *e = lost;
        return read;
    }
    return r;
}

/* 1: there is one already, of another server, or of its shipper. */
static int analyse(struct analyses *a, const struct work *w, struct err *e)
{
    CLEANUP(analysis_answer_done) struct analysis_answer answer = {0};
    struct analysing now = {.analyses = a, .store = *a->serve->config.store, .source = DUMP_SOURCE_NONE};
    struct small_object object[ANALYSIS_OBJECTS];
    int r = answer_is_stored(a->serve, w->key, CASE_ANALYSIS, e);

    if (r != 0)
        return r;
    now.store.notice = NULL;
    log_event(EVENT_ANALYSIS_STARTED, LOG_STR("case", w->id), LOG_STR("key", w->key));
    if ((r = make(&now, w, &answer, e)) < 0)
        return r;
    if (answer.unfiltered)
        background_unfiltered();
    analysis_objects(&answer, object);
    return answer_store(a->serve, &(struct found_answer){w->key, object, ANALYSIS_OBJECTS}, e);
}

static int on_work(void *ctx, const struct work *w, struct err *e)
{
    struct analyses *a = ctx;
    uint64_t began_ms = clock_mono_ms();
    int r = analyse(a, w, e);

    /* A person sees that it failed, and asks again. */
    for (unsigned i = 0; r < 0 && !w->by_person && background_tries_again(a->background, i, r); i++)
        r = analyse(a, w, e);
    if (r < 0)
        log_event(EVENT_ANALYSIS_FAILED, LOG_STR("case", w->id), LOG_STR("key", w->key),
                  LOG_STR("fault", fault_find(r)->name), LOG_STR("error", e->msg),
                  LOG_UINT("seconds", (clock_mono_ms() - began_ms) / 1000));
    else if (r == 0)
        log_event(EVENT_ANALYSED, LOG_STR("case", w->id), LOG_STR("key", w->key),
                  LOG_UINT("seconds", (clock_mono_ms() - began_ms) / 1000));
    return r;
}

int analyses_new(struct serve *s, struct analyses **ret, struct err *e)
{
    CLEANUP_FREE struct analyses *a = calloc(1, sizeof(*a));
    int r;

    assert(s && ret);
    if (!a)
        return err_set(e, -ENOMEM, "out of memory");
    a->serve = s;
    if ((r = background_new(&(struct background_config){on_work, a, WAITING_OF_ONE, WAITING_MOST}, &a->background, e)) <
        0)
        return r;
    *ret = TAKE_PTR(a);
    return 0;
}

int analyses_begin(struct analyses *a, struct err *e)
{
    return background_begin(a->background, e);
}

void analyses_stop(struct analyses *a)
{
    if (a)
        background_stop(a->background);
}

void analyses_free(struct analyses *a)
{
    if (!a)
        return;
    background_free(a->background);
    free(a);
}

void analysis_state(struct analyses *a, const char *id, struct work_state *ret)
{
    background_state(a->background, id, ret);
}

bool analysis_allowed(const struct analyses *a, const char *id)
{
    return analyse_rule_of(&a->serve->config.analyses.rules, id) != ANALYSE_NEVER;
}

int analysis_request(struct analyses *a, const char *id, const char *key, struct err *e)
{
    int r;

    assert(id && key);
    if (!analysis_allowed(a, id))
        return err_set(e, -FAULT_REFUSED, "this server analyses no dumps of this namespace");
    r = background_add(a->background, &(struct work){.id = (char *)id, .key = (char *)key, .by_person = true}, e);
    if (r < 0)
        log_event(EVENT_ANALYSIS_REFUSED, LOG_STR("case", id), LOG_STR("error", e->msg));
    return r;
}

void analysis_arrived(struct analyses *a, const char *key, const struct manifest *m)
{
    enum analyse_when when = analyse_rule_of(&a->serve->config.analyses.rules, key);
    CLEANUP_FREE char *id = case_id(key);
    struct err e = {0};

    if (!id || !text_eq(m->kind, "heap-dump") ||
        (when != ANALYSE_ALWAYS && (when != ANALYSE_OOM || !text_eq(m->cause, "java-oom"))))
        return;
    if (background_add(a->background, &(struct work){.id = id, .key = (char *)key}, &e) == -FAULT_BUSY)
        log_event(EVENT_ANALYSIS_REFUSED, LOG_STR("case", id), LOG_STR("error", e.msg));
}

void analysis_removed(struct analyses *a, const char *key)
{
    CLEANUP_FREE char *id = case_id(key);

    if (id)
        background_forget(a->background, id);
}

void analyses_metrics(struct analyses *a, struct openmetrics *m)
{
    struct background_counts c;

    background_count(a->background, &c);
    openmetrics_family(m, "salvage_analyses_queued", METRIC_GAUGE, NULL, "Analyses that wait.");
    openmetrics_uint(m, NULL, NULL, c.queued);
    openmetrics_family(m, "salvage_analyses_running", METRIC_GAUGE, NULL, "1: one is under way.");
    openmetrics_uint(m, NULL, NULL, c.running);
    openmetrics_family(m, "salvage_analyses", METRIC_COUNTER, NULL, "Analyses that ended, by result.");
    openmetrics_uint(m, "result", "done", c.done);
    openmetrics_uint(m, "result", "failed", c.failed);
    openmetrics_uint(m, "result", "refused", c.refused);
    openmetrics_family(m, "salvage_analyses_seconds", METRIC_COUNTER, "seconds", "For how long analyses ran.");
    openmetrics_real(m, NULL, NULL, c.seconds);
}
