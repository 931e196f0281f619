/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder's dump is read where it lies, a bucket's by ranges.
 */
#include "serve/analyses.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/dump_source.h"
#include "serve/answer_store.h"
#include "serve/root.h"
#include "serve/state_folder.h"
#include "ship/analysis.h"
#include "ship/case_facts.h"

enum { CACHE_PART = 4 }; /* of the memory, for plain blocks of a dump that is compressed or elsewhere */

struct analyses {
    struct serve *serve;
    struct background *background;
};

/* One analysis under way. */
struct analysing {
    struct analyses *analyses;
    struct dump_source source;
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

static uint64_t memory_of(const struct analyses *a)
{
    return a->serve->config.analyses.memory;
}

/* Of a root the temporary file lies in its state folder: it may be the only place that can be written to. */
static int open_source(struct analysing *now, const struct sink_config *config, const char *key, struct err *e)
{
    struct serve *s = now->analyses->serve;
    struct err ignored;
    CLEANUP_FD int folder = s->root_fd >= 0 ? state_folder_open(s->root_fd, &ignored) : -1;
    const struct dump_source_limits limits = {.cache_bytes = memory_of(now->analyses) / CACHE_PART,
                                              .folder = folder >= 0 ? folder : -1,
                                              .stop = on_stop,
                                              .ctx = now};
    int fd;

    if (s->root_fd < 0)
        return dump_source_of_object(&now->source, config, key, &limits, e);
    if ((fd = root_open(s->root_fd, key, O_RDONLY | O_NONBLOCK)) < 0)
        return err_set(e, fd == -ENOENT ? -FAULT_NO_OBJECT : fd, "it can't be opened");
    return dump_source_of_file(&now->source, fd, &limits, e);
}

static int make(struct analysing *now, const struct work *w, struct analysis_answer *ret, struct err *e)
{
    struct sink_config config = *now->analyses->serve->config.store;
    uint64_t memory = memory_of(now->analyses);
    struct analysis_order order = {.name = text_base_name(w->key), .started = on_started, .stop = on_stop, .ctx = now};
    struct err lost = {0};
    char size[TEXT_SIZE_MAX];
    int r, read;

    config.notice = NULL;
    if ((r = open_source(now, &config, w->key, e)) == 0) {
        order.fds = now->source.fd;
        order.fd_count = now->source.fd_count;
        order.size = now->source.size;
        order.memory = now->source.server ? memory - memory / CACHE_PART : memory;
        r = analysis_make(&order, ret, e);
    }
    read = dump_source_close(&now->source, &lost);
    if (r == -ENOMEM) {
        const struct err why = *e;

        return err_set(e, r, "it takes more than --analysis-memory %s: %.600s", text_format_size(memory, size),
                       why.msg);
    }
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
    struct analysing now = {.analyses = a, .source = DUMP_SOURCE_NONE};
    struct small_object object[ANALYSIS_OBJECTS];
    int r = answer_is_stored(a->serve, w->key, CASE_ANALYSIS, e);

    if (r != 0)
        return r;
    log_event(EVENT_ANALYSIS_STARTED, LOG_STR("case", w->id), LOG_STR("key", w->key));
    if ((r = make(&now, w, &answer, e)) < 0)
        return r;
    analysis_objects(&answer, object);
    return answer_store(a->serve, &(struct found_answer){w->key, object, ANALYSIS_OBJECTS}, e);
}

static int on_work(void *ctx, const struct work *w, struct err *e)
{
    uint64_t began_ms = clock_mono_ms();
    int r = analyse(ctx, w, e);

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
    if ((r = background_new(&(struct background_config){on_work, a}, &a->background, e)) < 0)
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
