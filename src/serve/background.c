/* SPDX-License-Identifier: Apache-2.0
 *
 * A queue, a thread, and a ring of results.
 */
#include "serve/background.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/thread.h"

enum {
    RECORDS = 2000,
    STACK_BYTES = 512 * 1024,
    RETRIES = 6, /* 10 s, 20 s … 320 s: ten minutes in all */
    PAUSE_MS = 10 * 1000,
    STEP_MS = 50
};

/* How a piece of work ended. */
struct record {
    char *id, *why; /* owned; id NULL: unused; why NULL: it was done */
    uint64_t ms;
};

struct background {
    struct background_config config;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t wake;
    struct work_queue queue;
    const char *now; /* id of what runs; NULL: nothing */
    uint64_t began_ms;
    struct record record[RECORDS];
    unsigned next_record;
    struct background_counts counts;
    uint64_t total_ms;
    bool stop;
};

static void record_done(struct record *r)
{
    free(r->id);
    free(r->why);
    *r = (struct record){0};
}

/* All below with the lock. */

static struct record *find_record(struct background *b, const char *id)
{
    for (unsigned i = 0; i < RECORDS; i++)
        if (b->record[i].id && text_eq(b->record[i].id, id))
            return &b->record[i];
    return NULL;
}

/* Without memory it is not remembered. */
static void remember(struct background *b, const struct work *w, int result, const struct err *e)
{
    struct record *r = find_record(b, w->id), one = {.ms = clock_mono_ms() - b->began_ms};

    b->total_ms += one.ms;
    if (result < 0)
        b->counts.failed++;
    else
        b->counts.done++;
    one.id = strdup(w->id);
    one.why = result < 0 ? strdup(e->msg) : NULL;
    if (!one.id || (result < 0 && !one.why)) {
        record_done(&one);
        return;
    }
    if (!r)
        r = &b->record[b->next_record++ % RECORDS];
    record_done(r);
    *r = one;
}

static bool next(struct background *b, struct work *ret)
{
    while (!b->stop && !work_queue_take(&b->queue, ret))
        pthread_cond_wait(&b->wake, &b->lock);
    if (b->stop)
        return false;
    b->now = ret->id;
    b->began_ms = clock_mono_ms();
    return true;
}

static void *run(void *ctx)
{
    struct background *b = ctx;
    struct work w = {0};

    pthread_mutex_lock(&b->lock);
    while (next(b, &w)) {
        struct err e = {0};
        int result;

        pthread_mutex_unlock(&b->lock);
        result = b->config.work(b->config.ctx, &w, &e);
        pthread_mutex_lock(&b->lock);
        if (!b->stop)
            remember(b, &w, result, &e);
        b->now = NULL;
        work_done(&w);
    }
    work_done(&w);
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

int background_new(const struct background_config *config, struct background **ret, struct err *e)
{
    CLEANUP_FREE struct background *b = calloc(1, sizeof(*b));

    assert(config->work && ret);
    if (!b)
        return err_set(e, -ENOMEM, "out of memory");
    b->config = *config;
    b->queue = (struct work_queue){.of_one = config->of_one, .most = config->most};
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->wake, NULL);
    *ret = TAKE_PTR(b);
    return 0;
}

int background_begin(struct background *b, struct err *e)
{
    int r = thread_start(&b->thread, STACK_BYTES, run, b);

    if (r < 0)
        return err_set(e, r, "cannot start a thread: %s", strerror(-r));
    b->running = true;
    return 0;
}

void background_stop(struct background *b)
{
    if (!b || !b->running)
        return;
    pthread_mutex_lock(&b->lock);
    b->stop = true;
    pthread_cond_signal(&b->wake);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    b->running = false;
}

void background_free(struct background *b)
{
    if (!b)
        return;
    assert(!b->running);
    work_queue_done(&b->queue);
    for (unsigned i = 0; i < RECORDS; i++)
        record_done(&b->record[i]);
    pthread_cond_destroy(&b->wake);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

bool background_stops(struct background *b)
{
    bool stop;

    pthread_mutex_lock(&b->lock);
    stop = b->stop;
    pthread_mutex_unlock(&b->lock);
    return stop;
}

static bool is_passing(int result)
{
    return result == -FAULT_BUSY || result == -FAULT_UNREACHABLE || result == -FAULT_STALLED ||
           result == -FAULT_EXPIRED;
}

bool background_tries_again(struct background *b, unsigned attempt, int result)
{
    uint64_t until_ms = clock_mono_ms() + ((uint64_t)PAUSE_MS << attempt);

    if (!is_passing(result) || attempt >= RETRIES)
        return false;
    while (clock_left_ms(until_ms) > 0 && !background_stops(b))
        clock_sleep_ms(STEP_MS);
    return !background_stops(b);
}

void background_unfiltered(void)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;

    if (!atomic_flag_test_and_set(&said))
        log_event(EVENT_NO_SECCOMP);
}

static void describe(struct background *b, const char *id, struct work_state *ret)
{
    const struct record *r = find_record(b, id);
    int ahead = work_queue_ahead(&b->queue, id);

    if (text_eq(b->now, id)) {
        ret->phase = WORK_RUNNING;
        ret->seconds = (clock_mono_ms() - b->began_ms) / 1000;
    } else if (ahead >= 0) {
        ret->phase = WORK_QUEUED;
        ret->ahead = (unsigned)ahead + (b->now != NULL);
    } else if (r) {
        ret->phase = r->why ? WORK_FAILED : WORK_DONE;
        ret->seconds = r->ms / 1000;
        if (r->why)
            text_printable(r->why, ret->why, sizeof(ret->why));
    }
}

void background_state(struct background *b, const char *id, struct work_state *ret)
{
    *ret = (struct work_state){0};
    pthread_mutex_lock(&b->lock);
    describe(b, id, ret);
    pthread_mutex_unlock(&b->lock);
}

static int add(struct background *b, const struct work *w, struct err *e)
{
    const struct record *known = find_record(b, w->id);
    int r;

    if (b->stop)
        return err_set(e, -FAULT_BUSY, "the server is stopping");
    if (text_eq(b->now, w->id))
        return 0;
    if (known && known->why && !w->by_person)
        return err_set(e, -FAULT_REFUSED, "it failed before: %.200s", known->why);
    r = work_queue_add(&b->queue, w->id, w->key, w->by_person);
    pthread_cond_signal(&b->wake);
    if (r == -EBUSY)
        return err_set(e, -FAULT_BUSY, "too many wait for it: ask again later");
    return r == -EALREADY ? 0 : r < 0 ? err_set(e, r, "out of memory") : 0;
}

int background_add(struct background *b, const struct work *w, struct err *e)
{
    int r;

    assert(w->id && w->key);
    pthread_mutex_lock(&b->lock);
    r = add(b, w, e);
    b->counts.refused += r == -FAULT_BUSY;
    pthread_mutex_unlock(&b->lock);
    return r;
}

void background_forget(struct background *b, const char *id)
{
    struct record *r;

    pthread_mutex_lock(&b->lock);
    if ((r = find_record(b, id)))
        record_done(r);
    pthread_mutex_unlock(&b->lock);
}

void background_count(struct background *b, struct background_counts *ret)
{
    pthread_mutex_lock(&b->lock);
    *ret = b->counts;
    ret->queued = b->queue.in_all;
    ret->running = b->now != NULL;
    ret->seconds = (double)b->total_ms / 1000;
    pthread_mutex_unlock(&b->lock);
}
