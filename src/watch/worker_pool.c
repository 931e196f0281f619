/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims, their order and their delays; the worker process and its messages.
 */
#include "watch/worker_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "ship/manifest.h"
#include "watch/item.h"
#include "watch/retain.h"
#include "watch/worker_slot.h"

enum {
    SOON_FIRST_MS = 1000,
    SOON_MOST_MS = 60 * 1000,
    SLOWLY_FIRST_MS = 60 * 1000,
    SLOWLY_MOST_MS = 300 * 1000,
    HELP_MS = 2000,  /* a claim that takes longer gets help beside it, if others wait */
    SLICE_MS = 5000, /* or it is put back after this long, twice as long the next time */
    SLICES_MOST = 2, /* doubled so often, where an upload can be gone on with; else a few times more: */
    SLICES_ANEW = 7,
    WORKERS_MAX = 4,
    SLOTS_MAX = 8,     /* with those that are lost */
    CLAIMS_MAX = 1024, /* of one folder of one tenant; beyond that, files wait where they are */
    CLAIMS_ALL = 4096, /* of all; beyond that each tenant has a few */
    CLAIMS_FEW = 16,
    CLOSE_MS = 3000,
    UNTRIED_MS = 2000, /* at its start the store passes for a good one */
    SWEEP_EVERY_MS = 24 * 3600 * 1000
};
#define WORKER_MEMORY (64ull << 20) /* of a worker that helps */

struct pool {
    struct pool_config config;
    struct pool_events events;
    uv_loop_t *loop;
    uv_timer_t timer, close_timer;
    struct worker_slot slots[SLOTS_MAX];
    unsigned workers; /* at a time, by --memory */
    struct fair fair;
    char *facts; /* what the first worker found out, for later ones; opaque */
    bool closing;
    bool unverified_said;
    uint64_t next_sweep_ms;

    struct item *items;
    unsigned count, failed, discarded;
    uint64_t well_ms;       /* until when the store passes for one that takes what it is given */
    uint64_t retain_due_ms; /* when the room is compared with what waits; 0: now */

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

/* What is in the store already goes before what is not. */
static void trim_kept(const struct pool *p, const struct spool *s)
{
    int erased = s ? retain_trim_kept(&p->config.retention, p->items, s) : 0;

    if (erased < 0)
        log_event(EVENT_STATE_LOST, LOG_STR("path", "kept"), LOG_STR("error", strerror(-erased)));
    else if (erased > 0)
        log_event(EVENT_KEPT_ERASED, LOG_UINT("count", (uint64_t)erased));
}

static void end_item(struct pool *p, struct item *i, enum pool_outcome outcome)
{
    for (struct item **at = &p->items; *at; at = &(*at)->next)
        if (*at == i) {
            *at = i->next;
            break;
        }
    if (i->slot)
        worker_slot_idle(i->slot);
    fair_leave(&p->fair, &i->claim->key);
    p->count--;
    p->failed += outcome == POOL_FAILED;
    p->retain_due_ms = 0;
    trim_kept(p, i->claim->spool);
    p->events.ended(p->events.ctx, i->claim, outcome);
    item_free(i);
}

static void log_shipped(const struct pool *p, const struct manifest *m, bool already, double seconds)
{
    CLEANUP_FREE char *url = sink_object_url(&p->config.plan->sink, m->key);
    char pause[PAUSE_TEXT_MAX];

    if (already)
        log_event(EVENT_ALREADY_STORED, LOG_STR("key", m->key), LOG_STR("url", url));
    else
        log_event(EVENT_SHIPPED, LOG_STR("key", m->key), LOG_STR("url", url), LOG_UINT("bytes", m->size),
                  LOG_UINT("stored", m->stored_size), LOG_REAL("seconds", seconds), LOG_STR("cause", m->cause),
                  LOG_STR("partial", m->partial), LOG_STR("pause", m->pause.by ? pause_print(&m->pause, pause) : NULL),
                  LOG_STR("verified", m->verified));
}

static void on_shipped(struct pool *p, struct item *i, const struct wire *w)
{
    uint64_t started_ms = i->slot->started_ms;
    CLEANUP(manifest_done) struct manifest m = {0};
    enum pool_outcome outcome = POOL_STORED;
    struct err e = {0};
    int r;

    if (manifest_decode(w->text, strlen(w->text), &m, &e) < 0) {
        log_event(EVENT_WORKER_DIED, LOG_STR("path", i->claim->path), LOG_STR("error", e.msg));
        child_kill(&i->slot->child); /* its end is dealt with like any other */
        return;
    }
    p->hold = (struct backoff){.first_ms = SOON_FIRST_MS, .most_ms = SOON_MOST_MS};
    p->hold_said = 0;
    p->well_ms = clock_mono_ms() + RETAIN_SPARE_MS;
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
    log_shipped(p, &m, w->a != 0, (double)(clock_mono_ms() - started_ms) / 1000);
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
    if (store) {
        p->hold_until_ms = i->due_ms;
        p->well_ms = 0;
    }
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
    if (i->slot)
        worker_slot_idle(i->slot);
    i->slot = NULL;
    p->retain_due_ms = 0;
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
    struct worker_slot *s = ctx;
    struct pool *p = s->pool;
    struct item *i = s->item;

    if (!i && w->type != WIRE_SWEPT)
        return;
    worker_slot_heard(s, w->type == WIRE_WAITING ? w->a : 0);
    switch (w->type) {
    case WIRE_SHIPPED:
        on_shipped(p, i, w);
        break;
    case WIRE_FAILED:
        on_failed(p, i, w->code < 0 ? w->code : -EIO, w->a, w->text);
        break;
    case WIRE_SWEPT:
        s->sweeping = false;
        if (w->a > 0)
            log_event(EVENT_ABORTED_UPLOAD, LOG_UINT("count", w->a));
        break;
    case WIRE_FACTS:
        if (!p->facts)
            p->facts = strdup(w->text); /* without memory the next worker asks again */
        break;
    case WIRE_PROGRESS:
        p->well_ms = clock_mono_ms() + RETAIN_SPARE_MS;
        s->finishing = w->a >= i->claim->size && (i->follow_fd < 0 || i->complete);
        break;
    case WIRE_RESUMED:
        log_event(EVENT_RESUMED, LOG_STR("id", i->claim->id), LOG_STR("path", i->claim->path),
                  LOG_UINT("stored", w->a));
        break;
    case WIRE_STATE_LOST:
        log_event(EVENT_STATE_LOST, LOG_STR("path", i->claim->path), LOG_STR("error", w->text));
        break;
    case WIRE_UNVERIFIED:
        if (!p->unverified_said)
            log_event(EVENT_STORED_UNVERIFIED, LOG_STR("path", i->claim->path), LOG_STR("error", w->text));
        p->unverified_said = true;
        break;
    case WIRE_WAITING:
        p->well_ms = 0;
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
    struct worker_slot *s = ctx;
    struct pool *p = s->pool;
    struct item *i = s->item;
    bool returning = s->returning;

    worker_slot_idle(s);
    if (!i || p->closing)
        return;
    i->slot = NULL;
    p->retain_due_ms = 0;
    if (returning)
        return; /* it waits again */
    if (i->cancelled) {
        if (access(i->claim->path, F_OK) < 0)
            spool_drop(i->claim->spool, i->claim);
        end_item(p, i, POOL_DROPPED);
        return;
    }
    log_event(EVENT_WORKER_DIED, LOG_STR("path", i->claim->path), LOG_STR("error", story));
    on_failed(p, i, -EIO, 0, story);
}

static bool all_closed(const struct pool *p)
{
    for (unsigned n = 0; n < SLOTS_MAX; n++)
        if (!child_may_start(&p->slots[n].child))
            return false;
    return true;
}

static void on_closed(void *ctx)
{
    struct worker_slot *s = ctx;

    worker_slot_closed(s);
    if (s->pool->closing && all_closed(s->pool) && !uv_is_closing((uv_handle_t *)&s->pool->close_timer))
        uv_close((uv_handle_t *)&s->pool->close_timer, NULL);
    schedule(s->pool);
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

static int start_worker(struct pool *p, struct worker_slot *s)
{
    struct wire w = {.type = WIRE_FACTS, .text = p->facts, .fd = {-1, -1}};
    int r = child_start(&s->child, p->config.worker_args);

    return r == 0 && p->facts ? child_send(&s->child, &w) : r;
}

static void start_item(struct pool *p, struct worker_slot *s, struct item *i)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP_FD int evidence = open_evidence(i);
    CLEANUP_FD int dir = i->claim->spool ? spool_claim_dir(i->claim->spool, i->claim) : -1;
    struct wire w = {.type = WIRE_JOB, .a = i->follow_fd >= 0 && !i->complete, .b = s->memory, .fd = {evidence, dir}};
    struct identity identity;
    int r = evidence < 0 ? evidence : identity_get(evidence, p->config.machine, &identity);

    i->slot = s;
    worker_slot_begin(s, i, clock_mono_ms());
    fair_serve(&p->fair, &i->claim->key);
    /* In place, the name may be another file's by now. */
    if (r == 0 && (!S_ISREG(identity.mode) || (i->claim->in_place && !text_eq(identity.id, i->claim->id))))
        r = -ENOENT;
    if (r == 0 && (r = claim_encode(i->claim, &text)) == 0) {
        w.text = text.data;
        if (!child_is_up(&s->child) && (r = start_worker(p, s)) < 0) {
            char story[200];
            snprintf(story, sizeof(story), "cannot start a worker by /proc/self/exe: %s%s", strerror(-r),
                     r == -EAGAIN ? ": a limit of processes is reached (pids.max of a cgroup, ulimit -u)" : "");
            on_failed(p, i, -FAULT_NO_PROCESS, 0, story); /* the evidence is there, whatever ENOENT this is */
            return;
        }
    }
    if (r == 0)
        r = child_send(&s->child, &w);
    if (r < 0)
        on_failed(p, i, r, 0, strerror(-r));
}

static struct fair_claim as_fair(const struct item *i)
{
    return (struct fair_claim){i->claim->key, i->returned, i->claim->size, i->claim->found_ns};
}

static bool goes_before(const struct pool *p, const struct item *a, const struct item *b)
{
    struct fair_claim x = as_fair(a), y = as_fair(b);

    return fair_before(&p->fair, &x, &y);
}

/* Who waits, and is next. */
static struct item *choose(struct pool *p, uint64_t now, uint64_t *ret_next_ms)
{
    struct item *best = NULL;

    for (struct item *i = p->items; i; i = i->next) {
        uint64_t due = i->due_ms > p->hold_until_ms ? i->due_ms : p->hold_until_ms;

        if (i->slot || (i->follow_fd >= 0 && !i->complete))
            continue;
        if (due > now) {
            if (due < *ret_next_ms)
                *ret_next_ms = due;
        } else if (!best || goes_before(p, i, best)) {
            best = i;
        }
    }
    return best;
}

static void on_timer(uv_timer_t *timer)
{
    schedule(timer->data);
}

static bool is_followed(const struct item *i)
{
    return i->follow_fd >= 0 && !i->complete;
}

/* The worker takes back what it sent of a file that is not complete, and ends. */
static void cancel(struct item *i)
{
    i->cancelled = true;
    worker_slot_end(i->slot, false, clock_mono_ms());
}

/* How long a worker may be at a claim while others wait. An upload that can't be gone on with begins anew. */
static uint64_t slice_of(const struct pool *p, const struct item *i)
{
    enum url_scheme scheme = p->config.plan->sink.url.scheme;
    unsigned most = scheme == URL_HTTP || scheme == URL_HTTPS ? SLICES_ANEW : SLICES_MOST;

    return (uint64_t)SLICE_MS << (is_followed(i) ? 0 : i->returned < most ? i->returned : most);
}

static bool can_take(const struct worker_slot *s)
{
    return !s->item && !s->lost && s->end_ms == 0 && (child_is_up(&s->child) || child_may_start(&s->child));
}

/* A worker for what waits; none while the others have been at work for a moment only. */
static struct worker_slot *free_slot(struct pool *p, uint64_t now, uint64_t *ret_next_ms)
{
    struct worker_slot *found = NULL;
    unsigned used = 0;

    for (unsigned n = 0; n < SLOTS_MAX; n++) {
        struct worker_slot *s = &p->slots[n];

        if (s->item && !s->lost && now < s->started_ms + HELP_MS) {
            if (s->started_ms + HELP_MS < *ret_next_ms)
                *ret_next_ms = s->started_ms + HELP_MS;
            return NULL;
        }
        used += !s->lost && !can_take(s);
        if (can_take(s) && (!found || (!child_is_up(&found->child) && child_is_up(&s->child))))
            found = s;
    }
    return used < p->workers ? found : NULL;
}

/* Puts back, to let others through, what has been worked on for the longest, or follows a file that still grows. */
static void make_room(struct pool *p, uint64_t now, uint64_t *ret_next_ms)
{
    struct worker_slot *ripe = NULL;

    for (unsigned n = 0; n < SLOTS_MAX; n++) {
        struct worker_slot *s = &p->slots[n];
        uint64_t until;

        if (s->end_ms > 0 && !s->lost)
            return; /* one is on its way out */
        if (!s->item || s->finishing || s->lost)
            continue;
        until = s->started_ms + slice_of(p, s->item);
        if (until > now) {
            if (until < *ret_next_ms)
                *ret_next_ms = until;
        } else if (!ripe || (is_followed(s->item) ? !is_followed(ripe->item) : s->started_ms < ripe->started_ms)) {
            ripe = s;
        }
    }
    if (!ripe)
        return;
    log_event(EVENT_YIELDED, LOG_STR("path", ripe->item->claim->path),
              LOG_REAL("seconds", (double)(now - ripe->started_ms) / 1000));
    if (is_followed(ripe->item)) {
        cancel(ripe->item);
    } else {
        ripe->returning = true;
        ripe->item->returned++;
        worker_slot_end(ripe, true, now);
    }
    if (ripe->end_ms < *ret_next_ms)
        *ret_next_ms = ripe->end_ms;
}

/* Once a day, and when the store has just shown that it answers. */
static void sweep(struct pool *p, uint64_t now)
{
    struct wire w = {.type = WIRE_SWEEP, .fd = {-1, -1}};

    if (now < p->next_sweep_ms || p->hold_said)
        return;
    for (unsigned n = 0; n < SLOTS_MAX; n++)
        if (can_take(&p->slots[n]) && child_send(&p->slots[n].child, &w) == 0) {
            p->slots[n].sweeping = true;
            p->next_sweep_ms = now + SWEEP_EVERY_MS;
            return;
        }
}

/* A worker that does not move is given up; its claim is tried again later, behind the others. */
static void watch_over(struct pool *p, struct worker_slot *s, uint64_t now, uint64_t *ret_next_ms)
{
    struct item *i = s->item;
    uint64_t still_ms = worker_slot_look(s, now, ret_next_ms);

    if (still_ms > 0) {
        log_event(EVENT_WORKER_STUCK, LOG_STR("path", i->claim->path), LOG_UINT("seconds", still_ms / 1000));
        worker_slot_end(s, true, now);
        if (s->end_ms < *ret_next_ms)
            *ret_next_ms = s->end_ms;
    }
    /* Not even that ends it. */
    if (s->lost && i) {
        s->item = NULL;
        i->slot = NULL;
        on_failed(p, i, -EIO, 0, "its worker hangs");
    }
}

static void release_idle(struct pool *p)
{
    for (unsigned n = 0; n < SLOTS_MAX; n++)
        if (!p->slots[n].item && !p->slots[n].sweeping)
            child_end(&p->slots[n].child); /* nothing to do */
}

static void discard(struct pool *p, struct item *i, const struct retain_why *why)
{
    const char *path = i->claim->path;
    int r = spool_discard(i->claim->spool, i->claim);

    p->discarded++;
    if (why->room.by == ROOM_UNLIMITED)
        log_event(EVENT_DISCARDED, LOG_STR("path", path), LOG_UINT("bytes", i->claim->size), LOG_STR("limit", "age"),
                  LOG_UINT("count", p->discarded), LOG_STR("error", r < 0 ? strerror(-r) : NULL));
    else
        log_event(EVENT_DISCARDED, LOG_STR("path", path), LOG_UINT("bytes", i->claim->size),
                  LOG_STR("limit", room_by_name(why->room.by)), LOG_STR("reason", discard_reason_name(why->reason)),
                  LOG_UINT("waiting", why->waiting), LOG_UINT("room", why->room.bytes), LOG_UINT("of", why->room.of),
                  LOG_UINT("count", p->discarded), LOG_STR("error", r < 0 ? strerror(-r) : NULL));
    end_item(p, i, POOL_FAILED);
}

/* Gives up what could not be shipped in the time and room that there is. */
static void retain(struct pool *p, uint64_t now, uint64_t *ret_next_ms)
{
    const struct retention *r = &p->config.retention;
    struct retain_why why;
    struct item *i;

    while (!p->closing && (i = retain_too_old(p->items, now, ret_next_ms)))
        discard(p, i, &(struct retain_why){.room.by = ROOM_UNLIMITED});
    while (!p->closing && p->retain_due_ms <= now) {
        p->retain_due_ms = UINT64_MAX;
        if ((i = retain_too_much(p->items, r, p->well_ms, now, &p->retain_due_ms, &why)))
            discard(p, i, &why);
    }
    if (p->retain_due_ms < *ret_next_ms)
        *ret_next_ms = p->retain_due_ms;
}

/* One that is larger than all the room there is stays: it is the application's own size. It may be evicted with it. */
static void say_large(struct pool *p, const struct item *i)
{
    const struct room room = retain_room(&p->config.retention, p->items, i);

    if (room.by != ROOM_UNLIMITED && i->claim->disk > room.bytes)
        log_event(EVENT_LARGER_THAN_ROOM, LOG_STR("path", i->claim->path), LOG_UINT("bytes", i->claim->disk),
                  LOG_UINT("room", room.bytes), LOG_STR("limit", room_by_name(room.by)), LOG_UINT("of", room.of));
}

/* It lies in the spool now. */
static void takes_room(struct pool *p, struct item *i)
{
    p->retain_due_ms = 0;
    if (!i->claim->spool || i->claim->in_place)
        return;
    i->claim->disk = spool_disk(i->claim->spool, i->claim);
    say_large(p, i);
    trim_kept(p, i->claim->spool);
}

static void schedule(struct pool *p)
{
    uint64_t next = UINT64_MAX, now = clock_mono_ms();
    struct worker_slot *s;
    struct item *i;

    if (p->closing)
        return;
    retain(p, now, &next);
    if (p->closing)
        return;
    for (unsigned n = 0; n < SLOTS_MAX; n++)
        watch_over(p, &p->slots[n], now, &next);
    sweep(p, now);
    while ((i = choose(p, now, &next)) && (s = free_slot(p, now, &next)))
        start_item(p, s, i);
    if (i)
        make_room(p, now, &next);
    else
        release_idle(p);
    for (unsigned n = 0; n < SLOTS_MAX; n++)
        worker_slot_due(&p->slots[n], &next); /* one that has just begun may never say a word */
    if (next == UINT64_MAX) {
        uv_timer_stop(&p->timer);
        return;
    }
    uv_update_time(p->loop);
    uv_timer_start(&p->timer, on_timer, next > now ? next - now : 1, 0);
}

/* --memory is a ceiling for all workers together: the first has what is left by those that help. */
static void share_memory(struct pool *p)
{
    uint64_t memory = p->config.plan->memory;

    p->workers = 1;
    while (p->workers < WORKERS_MAX && memory >= 2 * WORKER_MEMORY) {
        memory -= WORKER_MEMORY;
        p->workers++;
    }
    for (unsigned n = 0; n < SLOTS_MAX; n++)
        p->slots[n].memory = n == 0 || p->workers == 1 ? memory : WORKER_MEMORY;
}

int pool_new(uv_loop_t *loop, const struct pool_config *c, const struct pool_events *events, struct pool **ret)
{
    uint64_t silence_ms = 2 * c->plan->sink.http.timeout_ms, seed;
    struct pool *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    *p = (struct pool){.config = *c, .events = *events, .loop = loop, .well_ms = clock_mono_ms() + UNTRIED_MS};
    for (unsigned n = 0; n < SLOTS_MAX; n++) {
        struct worker_slot *s = &p->slots[n];

        s->pool = p;
        s->stuck_ms = c->stuck_ms > silence_ms ? c->stuck_ms : silence_ms;
        s->child = (struct child){
            .loop = loop, .ctx = s, .message = on_message, .ended = on_ended, .closed = on_closed, .spawn = c->spawn};
        child_init(&s->child);
    }
    share_memory(p);
    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
        seed = (uint64_t)clock_wall_ns();
    fair_init(&p->fair, seed);
    uv_timer_init(loop, &p->timer);
    uv_timer_init(loop, &p->close_timer);
    p->timer.data = p->close_timer.data = p;
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
                       .series = retain_series(c),
                       .added_ms = clock_mono_ms(),
                       .retain_ms = retention_due(&p->config.retention, c->found_ns, clock_wall_ns(), clock_mono_ms()),
                       .follow_fd = follow_fd};
    p->items = i;
    p->count++;
    fair_enter(&p->fair, &c->key);
    if (c->spool && volume_get(spool_fd(c->spool), &i->volume) < 0)
        i->volume = (struct volume){0};
    takes_room(p, i);
    return i;
}

int pool_add(struct pool *p, struct claim *c)
{
    if (!add_item(p, c, -1))
        return -ENOMEM;
    schedule(p);
    return 0;
}

bool pool_has_room(const struct pool *p, const struct fair_key *k)
{
    return p->count < CLAIMS_ALL ? fair_of_part(&p->fair, k) < CLAIMS_MAX : fair_of_tenant(&p->fair, k) < CLAIMS_FEW;
}

/* For a file that is followed: one that nobody else could have. */
static struct worker_slot *spare_slot(struct pool *p)
{
    uint64_t ignored = UINT64_MAX, now = clock_mono_ms();

    return p->closing || p->hold_until_ms > now || choose(p, now, &ignored) ? NULL : free_slot(p, now, &ignored);
}

bool pool_may_follow(struct pool *p)
{
    return spare_slot(p) != NULL;
}

int pool_follow(struct pool *p, struct claim *c, int fd)
{
    struct worker_slot *s = spare_slot(p);
    struct item *i;

    if (!s)
        return -EBUSY;
    if (!(i = add_item(p, c, fd)))
        return -ENOMEM;
    /* start_item may fail at once, and i is gone then */
    start_item(p, s, i);
    if (s->item != i)
        return 1;
    schedule(p); /* others may come, and it has to be looked after */
    return 0;
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
    i->claim->disk = now->disk;
    i->claim->settled_ns = now->settled_ns;
    i->claim->in_place = now->in_place;
    takes_room(p, i);
    if (i->slot)
        child_send(&i->slot->child, &w);
    schedule(p);
    return true;
}

void pool_unfollow(struct pool *p, const char *id)
{
    struct item *i = find_followed(p, id);

    if (i && i->slot)
        cancel(i);
}

bool pool_uses(const struct pool *p, const struct spool *s)
{
    for (const struct item *i = p->items; i; i = i->next)
        if (i->claim->spool == s)
            return true;
    return false;
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

    for (struct item *i = p->items; i; i = i->next)
        if (i->slot || (i->due_ms <= now + within_ms && p->hold_until_ms <= now + within_ms))
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

/* What hangs in the kernel does not end by being killed. */
static void on_close_timer(uv_timer_t *timer)
{
    struct pool *p = timer->data;

    for (unsigned n = 0; n < SLOTS_MAX; n++)
        child_abandon(&p->slots[n].child);
}

void pool_close(struct pool *p)
{
    p->closing = true;
    uv_timer_stop(&p->timer);
    uv_close((uv_handle_t *)&p->timer, NULL);
    for (unsigned n = 0; n < SLOTS_MAX; n++) {
        child_kill(&p->slots[n].child);
        child_end(&p->slots[n].child);
    }
    if (all_closed(p))
        uv_close((uv_handle_t *)&p->close_timer, NULL);
    else
        uv_timer_start(&p->close_timer, on_close_timer, CLOSE_MS, 0);
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
