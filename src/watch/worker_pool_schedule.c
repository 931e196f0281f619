/* SPDX-License-Identifier: Apache-2.0
 *
 * The next claim, its worker, and the time at which the pool has to act again.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/bandwidth.h"
#include "ship/spool.h"
#include "store/multipart.h"
#include "watch/worker_pool_internal.h"

enum {
    HELP_MS = 2000,  /* if a claim takes longer and others wait, another worker is started */
    SLICE_MS = 5000, /* or the claim is put back after this time, doubled each time */
    SLICE_PARTS = 4,
    SLICES_MOST = 2, /* doubled at most so often if uploads can be resumed; else a few times more: */
    SLICES_ANEW = 7,
    WORKERS_MAX = 4,
    SWEEP_EVERY_MS = 24 * 3600 * 1000
};
#define WORKER_MEMORY (64ull << 20) /* of an additional worker */

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
    int r = child_is_up(&s->child) ? 1 : child_start(&s->child, p->config.worker_args);

    return r == 0 && p->facts ? child_send(&s->child, &w) : r;
}

/* A claim in place: another file may have the name by now. */
static int check_evidence(const struct pool *p, const struct item *i, int fd)
{
    struct identity identity;
    int r = fd < 0 ? fd : identity_get(fd, p->config.machine, &identity);

    if (r == 0 && (!S_ISREG(identity.mode) || (i->claim->in_place && !text_eq(identity.id, i->claim->id))))
        r = -ENOENT;
    return r;
}

static int send_job(struct worker_slot *s, const struct item *i, int evidence)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP_FD int dir = i->claim->spool ? spool_claim_dir(i->claim->spool, i->claim) : -1;
    struct wire w = {.type = WIRE_JOB, .a = item_is_followed(i), .b = s->memory, .fd = {evidence, dir}};
    int r = claim_encode(i->claim, &text);

    w.text = text.data;
    return r < 0 ? r : child_send(&s->child, &w);
}

void pool_start_item(struct pool *p, struct worker_slot *s, struct item *i)
{
    CLEANUP_FD int evidence = open_evidence(i);
    int r = check_evidence(p, i, evidence);
    char reason[200];

    assert(!i->slot && !s->item);
    i->slot = s;
    worker_slot_begin(s, i, pool_now(p));
    fair_serve(&p->fair, &i->claim->key);
    if (r == 0 && (r = start_worker(p, s)) < 0) {
        snprintf(reason, sizeof(reason), "cannot start a worker by /proc/self/exe: %s%s", strerror(-r),
                 r == -EAGAIN ? ": a limit of processes is reached (pids.max of a cgroup, ulimit -u)" : "");
        /* The evidence is there: this ENOENT is of something else. */
        pool_attempt_failed(p, i, &(struct pool_failure){.code = -FAULT_NO_PROCESS, .reason = reason});
        return;
    }
    if (r >= 0)
        r = send_job(s, i, evidence);
    /* The worker has died, and the loop does not know yet. Not a fault of the file, which would be tried again after a
     * longer delay. */
    if (r == -EPIPE || r == -ECONNRESET)
        pool_attempt_failed(p, i, &(struct pool_failure){.code = -EIO, .reason = "its worker had died"});
    else if (r < 0)
        pool_attempt_failed(p, i, &(struct pool_failure){.code = r, .reason = strerror(-r)});
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

struct item *pool_next_item(struct pool *p, uint64_t now, uint64_t *ret_next_ms)
{
    struct item *best = NULL;

    for (struct item *i = p->items; i; i = i->next) {
        uint64_t due = i->due_ms > p->hold_until_ms ? i->due_ms : p->hold_until_ms;

        if (i->slot || item_is_followed(i))
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

void pool_cancel(struct item *i)
{
    i->cancelled = true;
    worker_slot_end(i->slot, false, pool_now(i->slot->pool));
}

/* With a limit of bandwidth long enough for some parts: what is put back before one is confirmed begins again. */
static uint64_t first_slice(const struct pool *p)
{
    uint64_t rate = bandwidth_rate(p->config.plan->sink.http.bandwidth);
    uint64_t parts_ms = rate > 0 ? 1000ull * SLICE_PARTS * MULTIPART_GOOD_SIZE / rate : 0;

    return parts_ms > SLICE_MS ? parts_ms : SLICE_MS;
}

/* For how long a worker may ship a claim while others wait. An upload that can't be resumed begins again, so it gets
 * longer. */
static uint64_t slice_of(const struct pool *p, const struct item *i)
{
    enum url_scheme scheme = p->config.plan->sink.url.scheme;
    unsigned most = scheme == URL_HTTP || scheme == URL_HTTPS ? SLICES_ANEW : SLICES_MOST;

    return first_slice(p) << (item_is_followed(i) ? 0 : i->returned < most ? i->returned : most);
}

static bool can_take(const struct worker_slot *s)
{
    return !s->item && !s->lost && s->end_ms == 0 && (child_is_up(&s->child) || child_may_start(&s->child));
}

struct worker_slot *pool_free_slot(struct pool *p, uint64_t now, uint64_t *ret_next_ms)
{
    struct worker_slot *found = NULL;
    unsigned used = 0;

    for (unsigned n = 0; n < POOL_SLOTS_MAX; n++) {
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

/* Puts back the claim that has been shipped for the longest time, a followed file first, so that others can go first.
 */
static void make_room(struct pool *p, uint64_t now, uint64_t *ret_next_ms)
{
    struct worker_slot *ripe = NULL;

    for (unsigned n = 0; n < POOL_SLOTS_MAX; n++) {
        struct worker_slot *s = &p->slots[n];
        uint64_t until;

        if (s->end_ms > 0 && !s->lost)
            return; /* a worker is already ending */
        if (!s->item || s->finishing || s->lost)
            continue;
        until = s->started_ms + slice_of(p, s->item);
        if (until > now) {
            if (until < *ret_next_ms)
                *ret_next_ms = until;
        } else if (!ripe ||
                   (item_is_followed(s->item) ? !item_is_followed(ripe->item) : s->started_ms < ripe->started_ms)) {
            ripe = s;
        }
    }
    if (!ripe)
        return;
    log_event(EVENT_YIELDED, LOG_STR("path", ripe->item->claim->path),
              LOG_REAL("seconds", (double)(now - ripe->started_ms) / 1000));
    if (item_is_followed(ripe->item)) {
        pool_cancel(ripe->item);
    } else {
        ripe->returning = true;
        ripe->item->returned++;
        worker_slot_end(ripe, true, now);
    }
    if (ripe->end_ms < *ret_next_ms)
        *ret_next_ms = ripe->end_ms;
}

/* Once a day, when the store has just shown that it works. */
static void sweep(struct pool *p, uint64_t now)
{
    struct wire w = {.type = WIRE_SWEEP, .fd = {-1, -1}};

    if (now < p->next_sweep_ms || p->hold.last)
        return;
    for (unsigned n = 0; n < POOL_SLOTS_MAX; n++)
        if (can_take(&p->slots[n]) && child_send(&p->slots[n].child, &w) == 0) {
            p->slots[n].sweeping = true;
            p->next_sweep_ms = now + SWEEP_EVERY_MS;
            return;
        }
}

/* Gives up a worker without progress; its claim is tried again later, after the others. */
static void check_worker(struct pool *p, struct worker_slot *s, uint64_t now, uint64_t *ret_next_ms)
{
    struct item *i = s->item;
    uint64_t still_ms = worker_slot_check(s, now, ret_next_ms);

    if (still_ms > 0) {
        log_event(EVENT_WORKER_STUCK, LOG_STR("path", i->claim->path), LOG_UINT("seconds", still_ms / 1000));
        worker_slot_end(s, true, now);
        if (s->end_ms < *ret_next_ms)
            *ret_next_ms = s->end_ms;
    }
    /* Not even SIGKILL has ended it: it is lost. */
    if (s->lost && i) {
        s->item = NULL;
        i->slot = NULL;
        pool_attempt_failed(p, i, &(struct pool_failure){.code = -EIO, .reason = "its worker hangs"});
    }
}

static void release_idle(struct pool *p)
{
    for (unsigned n = 0; n < POOL_SLOTS_MAX; n++)
        if (!p->slots[n].item && !p->slots[n].sweeping)
            child_end(&p->slots[n].child); /* nothing to do */
}

static void on_timer(uv_timer_t *timer)
{
    pool_schedule(timer->data);
}

void pool_schedule(struct pool *p)
{
    uint64_t next = UINT64_MAX, now = pool_now(p);
    struct worker_slot *s;
    struct item *i;

    if (p->closing)
        return;
    pool_apply_retention(p, now, &next);
    if (p->closing)
        return;
    for (unsigned n = 0; n < POOL_SLOTS_MAX; n++)
        check_worker(p, &p->slots[n], now, &next);
    sweep(p, now);
    while ((i = pool_next_item(p, now, &next)) && (s = pool_free_slot(p, now, &next)))
        pool_start_item(p, s, i);
    if (i)
        make_room(p, now, &next);
    else
        release_idle(p);
    for (unsigned n = 0; n < POOL_SLOTS_MAX; n++)
        worker_slot_due(&p->slots[n], &next); /* also for a worker that was just started: it may never send a message */
    if (next == UINT64_MAX) {
        uv_timer_stop(&p->timer);
        return;
    }
    uv_update_time(p->loop);
    uv_timer_start(&p->timer, on_timer, next > now ? next - now : 1, 0);
}

/* --memory is a ceiling for all workers together: the first gets the memory that the additional ones leave. */
void pool_share_memory(struct pool *p)
{
    uint64_t memory = p->config.plan->memory;

    p->workers = 1;
    while (p->workers < WORKERS_MAX && memory >= 2 * WORKER_MEMORY) {
        memory -= WORKER_MEMORY;
        p->workers++;
    }
    for (unsigned n = 0; n < POOL_SLOTS_MAX; n++)
        p->slots[n].memory = n == 0 || p->workers == 1 ? memory : WORKER_MEMORY;
}
