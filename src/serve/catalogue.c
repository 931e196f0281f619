/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread reads the store and writes the index; all others ask it.
 */
#include "serve/catalogue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "serve/catalogue_internal.h"

enum { REFRESH_MS = 600 * 1000, RETRY_MS = 30 * 1000, STACK_BYTES = 512 * 1024 };

static void init_sync(struct catalogue *c)
{
    pthread_condattr_t by_mono;

    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->reader_lock, NULL);
    pthread_condattr_init(&by_mono);
    pthread_condattr_setclock(&by_mono, CLOCK_MONOTONIC);
    pthread_cond_init(&c->wake, &by_mono);
    pthread_cond_init(&c->news, &by_mono);
    pthread_condattr_destroy(&by_mono);
}

/* Waits for the condition until clock_mono_ms() is at until_ms; the lock is held. */
static void wait_until(struct catalogue *c, pthread_cond_t *condition, uint64_t until_ms)
{
    struct timespec at = {.tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000};

    pthread_cond_timedwait(condition, &c->lock, &at);
}

void catalogue_bump(struct catalogue *c)
{
    pthread_mutex_lock(&c->lock);
    c->version++;
    pthread_cond_broadcast(&c->news);
    pthread_mutex_unlock(&c->lock);
}

void catalogue_damaged(struct catalogue *c)
{
    pthread_mutex_lock(&c->lock);
    c->damaged = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

void catalogue_changed(struct catalogue *c, const char *key)
{
    char *copy = strdup(key);

    pthread_mutex_lock(&c->lock);
    if (copy &&
        array_reserve(&c->changed, c->changed_count + 1, &c->changed_capacity, sizeof(*c->changed), CHANGED_MAX) == 0)
        c->changed[c->changed_count++] = TAKE_PTR(copy);
    else
        c->list_now = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    free(copy);
}

static void set_trouble(struct catalogue *c, int result, const struct err *e)
{
    bool is_new;

    pthread_mutex_lock(&c->lock);
    is_new = result < 0 && strcmp(c->trouble.msg, e->msg) != 0;
    c->trouble = result < 0 ? *e : (struct err){0};
    c->complete = c->complete || result == 0;
    if (result == 0)
        c->listed_ns = clock_wall_ns();
    pthread_mutex_unlock(&c->lock);
    if (is_new)
        log_event(EVENT_CATALOGUE_STALE, LOG_STR("fault", fault_find(result)->name), LOG_STR("error", e->msg));
}

static int make_anew(struct catalogue *c, struct err *e)
{
    int r;

    log_event(EVENT_CATALOGUE_ANEW, LOG_STR("reason", "it is damaged"));
    pthread_mutex_lock(&c->lock);
    c->damaged = c->complete = false;
    pthread_mutex_unlock(&c->lock);
    c->whole_objects = 0;
    r = index_remake(c->index, e);
    catalogue_bump(c);
    return r;
}

static int list(struct catalogue *c)
{
    struct err e = {0};
    int r = catalogue_refresh(c, &e);

    if (r == -FAULT_CORRUPT && (r = make_anew(c, &e)) == 0)
        r = catalogue_refresh(c, &e);
    set_trouble(c, r, &e);
    return r;
}

static int look_again(struct catalogue *c, char *key)
{
    struct err e = {0};
    int r = catalogue_look_again(c, key, &e);

    if (r == -FAULT_CORRUPT)
        catalogue_damaged(c);
    free(key);
    return r == -FAULT_CORRUPT ? 0 : r;
}

/* What there is to do next: waits for it. */
enum work { STOP, LIST, REMAKE, KEY };

static enum work next_work(struct catalogue *c, uint64_t list_at_ms, char **ret_key, bool *ret_flooded)
{
    enum work work = KEY;

    pthread_mutex_lock(&c->lock);
    while (!c->stop && !c->damaged && !c->list_now && c->changed_count == 0 && clock_left_ms(list_at_ms) > 0)
        wait_until(c, &c->wake, list_at_ms);
    if (c->stop) {
        work = STOP;
    } else if (c->damaged) {
        work = REMAKE;
    } else if (c->changed_count > 0) {
        *ret_key = c->changed[0];
        memmove(c->changed, c->changed + 1, --c->changed_count * sizeof(*c->changed));
    } else {
        work = LIST;
        *ret_flooded = c->list_now;
        c->list_now = false;
    }
    pthread_mutex_unlock(&c->lock);
    return work;
}

static void *run(void *ctx)
{
    struct catalogue *c = ctx;
    uint64_t list_at_ms = clock_mono_ms();
    struct err e;
    char *key = NULL;
    bool is_flooded = false;

    for (;;) {
        int r = 0;

        switch (next_work(c, list_at_ms, &key, &is_flooded)) {
        case STOP:
            return NULL;
        case REMAKE:
            make_anew(c, &e);
            list_at_ms = clock_mono_ms();
            break;
        case LIST:
            if (is_flooded)
                c->whole_objects = 0; /* nobody knows where */
            r = list(c);
            list_at_ms = clock_mono_ms() + (r < 0 ? RETRY_MS : c->refresh_ms);
            break;
        case KEY:
            if (look_again(c, key) < 0 && clock_left_ms(list_at_ms) > RETRY_MS)
                list_at_ms = clock_mono_ms() + RETRY_MS;
            break;
        }
    }
}

static int open_index(struct catalogue *c, const struct catalogue_config *config, struct err *e)
{
    const char *why = NULL;
    int64_t complete = 0;
    int r = index_open(config->file, config->store_url, &c->index, &why, e);

    if (r == -FAULT_STATE) { /* read-only, or full */
        log_event(EVENT_CATALOGUE_IN_MEMORY, LOG_STR("path", config->file), LOG_STR("error", e->msg));
        r = index_open(NULL, config->store_url, &c->index, &why, e);
    }
    if (r < 0)
        return r;
    if (why)
        log_event(EVENT_CATALOGUE_ANEW, LOG_STR("path", config->file), LOG_STR("reason", why));
    if ((r = index_begin(c->index, e)) < 0)
        return r;
    r = index_meta(c->index, "complete", &complete, e);
    c->complete = complete != 0;
    return index_commit(c->index, e) < 0 ? -EIO : r;
}

DEFINE_CLEANUP(struct catalogue *, catalogue_close)

int catalogue_open(const struct catalogue_config *config, struct catalogue **ret, struct err *e)
{
    CLEANUP(catalogue_close_ptr) struct catalogue *c = calloc(1, sizeof(*c));
    int r;

    assert(config && config->store && config->store_url && ret);
    if (!c)
        return err_set(e, -ENOMEM, "out of memory");
    init_sync(c);
    c->store = *config->store;
    c->found = config->found;
    c->bare = config->bare;
    c->found_since_ns = config->found_since_ns;
    c->found_ctx = config->ctx;
    c->refresh_ms = config->refresh_ms ? config->refresh_ms : REFRESH_MS;
    if ((r = open_index(c, config, e)) < 0)
        return r;
    if ((r = thread_start(&c->thread, STACK_BYTES, run, c)) < 0)
        return err_set(e, r, "cannot start a thread: %s", strerror(-r));
    c->running = true;
    *ret = TAKE_PTR(c);
    return 0;
}

void catalogue_close(struct catalogue *c)
{
    if (!c)
        return;
    if (c->running) {
        pthread_mutex_lock(&c->lock);
        c->stop = true;
        pthread_cond_signal(&c->wake);
        pthread_cond_broadcast(&c->news);
        pthread_mutex_unlock(&c->lock);
        pthread_join(c->thread, NULL);
    }
    sink_close(c->sink);
    sink_close(c->reader);
    index_close(c->index);
    usage_cache_clear(&c->usage);
    days_cache_clear(&c->days);
    for (size_t i = 0; i < c->changed_count; i++)
        free(c->changed[i]);
    free(c->changed);
    free(c);
}

bool catalogue_ready(struct catalogue *c, struct err *e)
{
    bool ready;

    pthread_mutex_lock(&c->lock);
    ready = c->complete && !*c->trouble.msg;
    if (*c->trouble.msg)
        *e = c->trouble;
    else if (!ready)
        err_set(e, -FAULT_BUSY, "the store is being read for the first time");
    pthread_mutex_unlock(&c->lock);
    return ready;
}

int64_t catalogue_listed_ns(struct catalogue *c)
{
    int64_t listed_ns;

    pthread_mutex_lock(&c->lock);
    listed_ns = c->listed_ns;
    pthread_mutex_unlock(&c->lock);
    return listed_ns;
}

uint64_t catalogue_version(struct catalogue *c, uint64_t seen, uint64_t timeout_ms)
{
    uint64_t until_ms = clock_mono_ms() + timeout_ms, version;

    pthread_mutex_lock(&c->lock);
    while (c->version <= seen && !c->stop && clock_left_ms(until_ms) > 0)
        wait_until(c, &c->news, until_ms);
    version = c->version;
    pthread_mutex_unlock(&c->lock);
    return version;
}
