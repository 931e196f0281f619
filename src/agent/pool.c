/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims, their order and their delays; the worker process and its messages.
 */
#include "agent/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/child.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "format/manifest.h"

enum {
    SOON_FIRST_MS = 1000,
    SOON_MOST_MS = 60 * 1000,
    SLOWLY_FIRST_MS = 60 * 1000,
    SLOWLY_MOST_MS = 300 * 1000,
    STALE_FOLLOW_MS = 60 * 1000,
    SWEEP_EVERY_MS = 24 * 3600 * 1000
};

struct item {
    struct claim *claim;
    struct item *next;
    uint64_t due_ms;    /* monotonic, as all here */
    uint64_t retain_ms; /* until when it may take up room */
    uint64_t first_failure_ms;
    struct backoff backoff;
    int said;       /* the fault that was last logged for it */
    int follow_fd;  /* of a followed file, -1 */
    bool complete;  /* the followed file is */
    bool cancelled; /* the followed file is gone, or others wait */
};

struct pool {
    struct pool_config config;
    struct pool_events events;
    uv_loop_t *loop;
    uv_timer_t timer;
    struct child child;
    char *facts; /* what the first worker found out, for later ones; opaque */
    bool closing;
    bool sweeping; /* the worker looks for abandoned uploads */
    uint64_t next_sweep_ms;

    struct item *items;
    struct item *running;
    unsigned count, failed;
    uint64_t started_ms, progress_ms; /* of the running item */

    uint64_t hold_until_ms; /* the store is in trouble: nobody starts before */
    struct backoff hold;
    int hold_said; /* the fault that was last logged for the store */
};

static void schedule(struct pool *p);
static void on_failed(struct pool *p, struct item *i, int code, uint64_t retry_after_ms, const char *story);

/* Faults of the store, not of one file: they meet every claim alike. */
static bool is_store_fault(int result)
{
    switch (-result) {
    case FAULT_DENIED:
    case FAULT_EXPIRED:
    case FAULT_CREDENTIALS:
    case FAULT_NO_BUCKET:
    case FAULT_UNREACHABLE:
    case FAULT_STALLED:
    case FAULT_TLS:
    case FAULT_FULL:
    case FAULT_BUSY:
    case FAULT_NO_PROCESS: /* not the store, but it meets every claim alike, too */
        return true;
    default:
        return false;
    }
}

static void item_free(struct item *i)
{
    if (!i)
        return;
    if (i->follow_fd >= 0)
        close(i->follow_fd);
    claim_free(i->claim);
    free(i);
}

/* Whether it takes up room that is ours to free. */
static bool takes_room(const struct item *i)
{
    return i->claim->spool && !i->claim->in_place;
}

static uint64_t waiting_bytes(const struct pool *p)
{
    uint64_t total = 0;

    for (const struct item *i = p->items; i; i = i->next)
        total += takes_room(i) ? i->claim->size : 0;
    return total;
}

/* What is in the store already goes before what is not. */
static void trim_kept(const struct pool *p, const struct spool *s)
{
    const struct retention *r = &p->config.retention;
    int error;

    if (!s || (!r->age_ms && !r->bytes))
        return;
    error = retention_trim_kept(r, spool_fd(s), waiting_bytes(p), clock_wall_ns());
    if (error < 0)
        log_event(EVENT_STATE_LOST, LOG_STR("path", "kept"), LOG_STR("error", strerror(-error)));
}

static void end_item(struct pool *p, struct item *i, enum pool_outcome outcome)
{
    for (struct item **at = &p->items; *at; at = &(*at)->next)
        if (*at == i) {
            *at = i->next;
            break;
        }
    if (p->running == i)
        p->running = NULL;
    p->count--;
    p->failed += outcome == POOL_FAILED;
    trim_kept(p, i->claim->spool);
    p->events.ended(p->events.ctx, i->claim, outcome);
    item_free(i);
}

static void log_shipped(const struct pool *p, const struct manifest *m, bool already, double seconds)
{
    CLEANUP_FREE char *url = sink_object_url(&p->config.plan->sink, m->key);

    if (already)
        log_event(EVENT_ALREADY_STORED, LOG_STR("key", m->key), LOG_STR("url", url));
    else
        log_event(EVENT_SHIPPED, LOG_STR("key", m->key), LOG_STR("url", url), LOG_UINT("bytes", m->size),
                  LOG_UINT("stored", m->stored_size), LOG_REAL("seconds", seconds), LOG_STR("cause", m->cause),
                  LOG_STR("partial", m->partial));
}

static void on_shipped(struct pool *p, struct item *i, const struct wire *w)
{
    CLEANUP(manifest_done) struct manifest m = {0};
    enum pool_outcome outcome = POOL_STORED;
    struct err e = {0};
    int r;

    if (manifest_decode(w->text, strlen(w->text), &m, &e) < 0) {
        log_event(EVENT_WORKER_DIED, LOG_STR("path", i->claim->path), LOG_STR("error", e.msg));
        child_kill(&p->child); /* its end is dealt with like any other */
        return;
    }
    p->hold = (struct backoff){.first_ms = SOON_FIRST_MS, .most_ms = SOON_MOST_MS};
    p->hold_said = 0;
    i->claim->size = m.size;
    i->claim->mtime_ns = (int64_t)w->b;
    if (i->follow_fd >= 0)
        close(TAKE_FD(i->follow_fd)); /* or the room would not be free */
    r = spool_finish(i->claim->spool, i->claim, p->config.machine, p->config.plan->keep, &e);
    if (r == -FAULT_CHANGED) {
        on_failed(p, i, r, 0, e.msg);
        return;
    }
    if (r < 0) {
        log_event(EVENT_FAILED, LOG_STR("path", i->claim->path), LOG_STR("fault", "not-erased"),
                  LOG_STR("error", e.msg));
        outcome = POOL_FAILED;
    }
    /* Last: who reads it may count on the room. */
    log_shipped(p, &m, w->a != 0, (double)(clock_mono_ms() - p->started_ms) / 1000);
    end_item(p, i, outcome);
}

/* When it is tried again: alone, or with all the others if the fault meets all of them. Says why, once. */
static void put_off(struct pool *p, struct item *i, int code, uint64_t retry_after_ms, const char *story)
{
    const struct fault_info *fault = fault_find(code);
    bool slowly = fault->retry != RETRY_SOON, store = is_store_fault(code);
    struct backoff *b = store ? &p->hold : &i->backoff;
    int *said = store ? &p->hold_said : &i->said;
    uint64_t delay;

    b->first_ms = slowly ? SLOWLY_FIRST_MS : SOON_FIRST_MS;
    b->most_ms = slowly ? SLOWLY_MOST_MS : SOON_MOST_MS;
    delay = backoff_next(b, retry_after_ms);
    i->due_ms = clock_mono_ms() + delay;
    if (store)
        p->hold_until_ms = i->due_ms;
    if (*said != code)
        log_event(EVENT_FAILED, LOG_STR("path", i->claim->path), LOG_STR("fault", fault->name), LOG_STR("error", story),
                  LOG_UINT("retry_in_s", (delay + 999) / 1000));
    *said = code;
}

static void retry(struct pool *p, struct item *i, int code, uint64_t retry_after_ms, const char *story)
{
    const struct fault_info *fault = fault_find(code);
    uint64_t now = clock_mono_ms();

    if (p->config.once || (p->config.plan->give_up_ms && i->first_failure_ms &&
                           now - i->first_failure_ms >= p->config.plan->give_up_ms)) {
        log_event(EVENT_GAVE_UP, LOG_STR("path", i->claim->path), LOG_STR("fault", fault->name),
                  LOG_STR("error", story));
        end_item(p, i, POOL_FAILED);
        return;
    }
    if (!i->first_failure_ms)
        i->first_failure_ms = now;
    put_off(p, i, code, retry_after_ms, story);
}

static void on_failed(struct pool *p, struct item *i, int code, uint64_t retry_after_ms, const char *story)
{
    p->running = NULL;
    if (code == -ENOENT || (i->claim->in_place && code == -FAULT_CHANGED)) {
        /* Gone; or written to where it lies: whoever found it looks at it anew. */
        if (i->claim->spool)
            spool_drop(i->claim->spool, i->claim);
        end_item(p, i, POOL_DROPPED);
        return;
    }
    if (i->follow_fd >= 0 && !i->complete) {
        /* Following was a head start: without it the file is found again when it is closed. */
        if (is_store_fault(code))
            put_off(p, i, code, retry_after_ms, story);
        end_item(p, i, POOL_DROPPED);
        return;
    }
    retry(p, i, code, retry_after_ms, story);
}

static void on_message(void *ctx, const struct wire *w)
{
    struct pool *p = ctx;
    struct item *i = p->running;

    if (!i && w->type != WIRE_SWEPT)
        return;
    p->progress_ms = clock_mono_ms();
    switch (w->type) {
    case WIRE_SHIPPED:
        on_shipped(p, i, w);
        break;
    case WIRE_FAILED:
        on_failed(p, i, w->code < 0 ? w->code : -EIO, w->a, w->text);
        break;
    case WIRE_SWEPT:
        p->sweeping = false;
        if (w->a > 0)
            log_event(EVENT_ABORTED_UPLOAD, LOG_UINT("count", w->a));
        break;
    case WIRE_FACTS:
        if (!p->facts)
            p->facts = strdup(w->text); /* without memory the next worker asks again */
        break;
    case WIRE_RESUMED:
        log_event(EVENT_RESUMED, LOG_STR("id", i->claim->id), LOG_STR("path", i->claim->path),
                  LOG_UINT("stored", w->a));
        break;
    case WIRE_STATE_LOST:
        log_event(EVENT_STATE_LOST, LOG_STR("path", i->claim->path), LOG_STR("error", w->text));
        break;
    case WIRE_WAITING:
        if (i->said == 0)
            log_event(EVENT_FAILED, LOG_STR("path", i->claim->path), LOG_STR("fault", "passing"),
                      LOG_STR("error", w->text), LOG_UINT("retry_in_s", (w->a + 999) / 1000));
        i->said = -1;
        break;
    default:
        break;
    }
    schedule(p);
}

static void on_ended(void *ctx, const char *story)
{
    struct pool *p = ctx;
    struct item *i = p->running;

    p->running = NULL;
    p->sweeping = false;
    if (!i || p->closing)
        return;
    if (i->cancelled) {
        if (access(i->claim->path, F_OK) < 0)
            spool_drop(i->claim->spool, i->claim);
        end_item(p, i, POOL_DROPPED);
        return;
    }
    log_event(EVENT_WORKER_DIED, LOG_STR("path", i->claim->path), LOG_STR("error", story));
    on_failed(p, i, -EIO, 0, story);
}

static void on_closed(void *ctx)
{
    schedule(ctx);
}

static int open_evidence(const struct item *i)
{
    const struct claim *c = i->claim;
    int fd;

    if (i->follow_fd >= 0)
        return fcntl(i->follow_fd, F_DUPFD_CLOEXEC, 3);
    if (!c->in_place)
        return spool_evidence(c->spool, c);
    fd = open(c->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int start_worker(struct pool *p)
{
    struct wire w = {.type = WIRE_FACTS, .text = p->facts, .fd = {-1, -1}};
    int r = child_start(&p->child, p->config.worker_args);

    return r == 0 && p->facts ? child_send(&p->child, &w) : r;
}

static void start_item(struct pool *p, struct item *i)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP_FD int evidence = open_evidence(i);
    CLEANUP_FD int dir = i->claim->spool ? spool_claim_dir(i->claim->spool, i->claim) : -1;
    struct wire w = {.type = WIRE_JOB, .a = i->follow_fd >= 0 && !i->complete, .fd = {evidence, dir}};
    struct identity identity;
    int r = evidence < 0 ? evidence : identity_get(evidence, p->config.machine, &identity);

    p->running = i;
    p->started_ms = p->progress_ms = clock_mono_ms();
    /* In place, the name may be another file's by now. */
    if (r == 0 && (!S_ISREG(identity.mode) || (i->claim->in_place && !text_eq(identity.id, i->claim->id))))
        r = -ENOENT;
    if (r == 0 && (r = claim_encode(i->claim, &text)) == 0) {
        w.text = text.data;
        if (!child_is_up(&p->child) && (r = start_worker(p)) < 0) {
            char story[200];
            snprintf(story, sizeof(story), "cannot start a worker by /proc/self/exe: %s%s", strerror(-r),
                     r == -EAGAIN ? ": a limit of processes is reached (pids.max of a cgroup, ulimit -u)" : "");
            on_failed(p, i, -FAULT_NO_PROCESS, 0, story); /* the evidence is there, whatever ENOENT this is */
            return;
        }
    }
    if (r == 0)
        r = child_send(&p->child, &w);
    if (r < 0)
        on_failed(p, i, r, 0, strerror(-r));
}

/* The smallest first: the histogram before the heap. */
static struct item *choose(struct pool *p, uint64_t now, uint64_t *ret_next_ms)
{
    struct item *best = NULL;

    for (struct item *i = p->items; i; i = i->next) {
        uint64_t due = i->due_ms > p->hold_until_ms ? i->due_ms : p->hold_until_ms;

        if (i->follow_fd >= 0 && !i->complete)
            continue;
        if (due > now) {
            if (due < *ret_next_ms)
                *ret_next_ms = due;
        } else if (!best || i->claim->size < best->claim->size) {
            best = i;
        }
    }
    return best;
}

static void on_timer(uv_timer_t *timer)
{
    schedule(timer->data);
}

/* The worker takes back what it sent of a file that is not complete, and ends. */
static void cancel(struct pool *p, struct item *i)
{
    i->cancelled = true;
    child_end(&p->child);
}

/* A dump that does not grow must not keep finished ones waiting. */
static void watch_follower(struct pool *p, uint64_t now, uint64_t *ret_next_ms)
{
    struct item *i = p->running;

    if (i->follow_fd < 0 || i->complete || p->count < 2)
        return;
    if (now - p->progress_ms >= STALE_FOLLOW_MS)
        cancel(p, i);
    else
        *ret_next_ms = p->progress_ms + STALE_FOLLOW_MS;
}

/* Once a day, and when the store has just shown that it answers. */
static void sweep(struct pool *p, uint64_t now)
{
    struct wire w = {.type = WIRE_SWEEP, .fd = {-1, -1}};

    if (now < p->next_sweep_ms || p->hold_said || child_send(&p->child, &w) < 0)
        return;
    p->sweeping = true;
    p->next_sweep_ms = now + SWEEP_EVERY_MS;
}

/* What has lain here for too long, or while all together is too much the oldest; NULL: nothing. */
static struct item *overdue(const struct pool *p, uint64_t now, uint64_t *ret_next_ms, const char **ret_why)
{
    const struct retention *r = &p->config.retention;
    bool too_much = r->bytes && waiting_bytes(p) > r->bytes;
    struct item *oldest = NULL;

    for (struct item *i = p->items; i; i = i->next) {
        if (i == p->running || !takes_room(i) || i->follow_fd >= 0)
            continue;
        if (i->retain_ms <= now) {
            *ret_why = "age";
            return i;
        }
        if (i->retain_ms < *ret_next_ms)
            *ret_next_ms = i->retain_ms;
        if (!oldest || i->claim->found_ns < oldest->claim->found_ns)
            oldest = i;
    }
    *ret_why = "bytes";
    return too_much ? oldest : NULL;
}

/* Gives up what nobody could take off our hands in the time and room we were given. */
static void retain(struct pool *p, uint64_t now, uint64_t *ret_next_ms)
{
    const char *why;

    for (struct item *i; (i = overdue(p, now, ret_next_ms, &why));) {
        int r = spool_discard(i->claim->spool, i->claim);

        log_event(EVENT_DISCARDED, LOG_STR("path", i->claim->path), LOG_UINT("bytes", i->claim->size),
                  LOG_STR("limit", why), LOG_STR("error", r < 0 ? strerror(-r) : NULL));
        end_item(p, i, POOL_FAILED);
    }
}

static void schedule(struct pool *p)
{
    uint64_t next = UINT64_MAX, now = clock_mono_ms();

    if (p->closing)
        return;
    retain(p, now, &next);
    if (p->closing)
        return;
    if (p->running == NULL)
        sweep(p, now);
    while (!p->running && (child_is_up(&p->child) || child_may_start(&p->child))) {
        struct item *i = choose(p, now, &next);

        if (!i)
            break;
        start_item(p, i);
    }
    if (p->running)
        watch_follower(p, now, &next);
    else if (!p->sweeping)
        child_end(&p->child); /* nothing to do */
    if (next == UINT64_MAX) {
        uv_timer_stop(&p->timer);
        return;
    }
    uv_update_time(p->loop);
    uv_timer_start(&p->timer, on_timer, next > now ? next - now : 1, 0);
}

int pool_new(uv_loop_t *loop, const struct pool_config *c, const struct pool_events *events, struct pool **ret)
{
    struct pool *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    *p = (struct pool){.config = *c, .events = *events, .loop = loop};
    p->child = (struct child){.loop = loop, .ctx = p, .message = on_message, .ended = on_ended, .closed = on_closed};
    child_init(&p->child);
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    *ret = p;
    return 0;
}

static struct item *add_item(struct pool *p, struct claim *c, int follow_fd)
{
    struct item *i = calloc(1, sizeof(*i));

    if (!i)
        return NULL;
    *i = (struct item){.claim = c,
                       .next = p->items,
                       .retain_ms = retention_due(&p->config.retention, c->found_ns, clock_wall_ns(), clock_mono_ms()),
                       .follow_fd = follow_fd};
    p->items = i;
    p->count++;
    trim_kept(p, c->spool);
    return i;
}

int pool_add(struct pool *p, struct claim *c)
{
    if (!add_item(p, c, -1))
        return -ENOMEM;
    schedule(p);
    return 0;
}

bool pool_may_follow(const struct pool *p)
{
    return !p->running && !p->closing && p->hold_until_ms <= clock_mono_ms() &&
           (child_is_up(&p->child) || child_may_start(&p->child));
}

int pool_follow(struct pool *p, struct claim *c, int fd)
{
    struct item *i;

    /* start_item may fail at once, and i is gone then */
    if (!pool_may_follow(p))
        return -EBUSY;
    if (!(i = add_item(p, c, fd)))
        return -ENOMEM;
    start_item(p, i);
    return p->running == i ? 0 : 1;
}

static struct item *find_followed(const struct pool *p, const char *id)
{
    for (struct item *i = p->items; i; i = i->next)
        if (i->follow_fd >= 0 && !i->complete && !i->cancelled && text_eq(i->claim->id, id))
            return i;
    return NULL;
}

bool pool_complete(struct pool *p, const struct claim *now)
{
    struct item *i = find_followed(p, now->id);
    struct wire w = {.type = WIRE_COMPLETE, .fd = {-1, -1}};

    if (!i)
        return false;
    i->complete = true;
    i->claim->size = now->size;
    i->claim->settled_ns = now->settled_ns;
    i->claim->in_place = now->in_place;
    if (p->running == i)
        child_send(&p->child, &w);
    schedule(p);
    return true;
}

void pool_unfollow(struct pool *p, const char *id)
{
    struct item *i = find_followed(p, id);

    if (i && p->running == i)
        cancel(p, i);
}

unsigned pool_count(const struct pool *p)
{
    return p->count;
}

unsigned pool_failed(const struct pool *p)
{
    return p->failed;
}

bool pool_hopeful(const struct pool *p, uint64_t within_ms)
{
    uint64_t now = clock_mono_ms();

    if (p->running)
        return true;
    for (struct item *i = p->items; i; i = i->next)
        if (i->due_ms <= now + within_ms && p->hold_until_ms <= now + within_ms)
            return true;
    return false;
}

unsigned pool_log_left(const struct pool *p, unsigned max)
{
    unsigned logged = 0;

    for (const struct item *i = p->items; i && logged < max; i = i->next, logged++) {
        int fault = i->said ? i->said : p->hold_said;

        log_event(EVENT_NOT_SHIPPED, LOG_STR("path", i->claim->path), LOG_UINT("bytes", i->claim->size),
                  LOG_STR("id", i->claim->id), LOG_STR("fault", fault ? fault_find(fault)->name : NULL));
    }
    return logged;
}

void pool_close(struct pool *p)
{
    p->closing = true;
    uv_timer_stop(&p->timer);
    uv_close((uv_handle_t *)&p->timer, NULL);
    child_kill(&p->child);
    child_end(&p->child);
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    while (p->items) {
        struct item *i = p->items;

        p->items = i->next;
        item_free(i);
    }
    free(p->facts);
    free(p);
}
