/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims are added, counted, and removed.
 */
#include "watch/worker_pool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/text.h"
#include "ship/spool.h"
#include "watch/retain.h"
#include "watch/worker_pool_internal.h"

enum {
    CLAIMS_MAX = 1024, /* of one folder of one tenant; beyond that, files stay where they are */
    CLAIMS_ALL = 4096, /* of all tenants; beyond that each tenant may have a few */
    CLAIMS_FEW = 16,
    HELD_ALL = 512, /* descriptors of files that wait */
    HELD_TENANT = 64,
    CLOSE_MS = 3000,
    UNTRIED_MS = 2000 /* until then a store that was not used yet counts as working */
};

uint64_t pool_now(const struct pool *p)
{
    return p->config.now_ms ? p->config.now_ms() : clock_mono_ms();
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

void pool_end_item(struct pool *p, struct item *i, enum pool_outcome outcome)
{
    assert(p->count > 0);
    for (struct item **at = &p->items; *at; at = &(*at)->next)
        if (*at == i) {
            *at = i->next;
            break;
        }
    if (i->slot)
        worker_slot_idle(i->slot);
    fair_leave(&p->fair, &i->claim->key);
    gauge_set(GAUGE_WAITING, --p->count);
    p->failed += outcome == POOL_FAILED;
    p->retain_due_ms = 0;
    pool_trim_kept(p, i->claim->spool);
    p->events.ended(p->events.ctx, i->claim, outcome);
    item_free(i);
}

int pool_new(uv_loop_t *loop, const struct pool_config *c, const struct pool_events *events, struct pool **ret)
{
    uint64_t silence_ms = 2 * c->plan->sink.http.timeout_ms, seed;
    struct pool *p = calloc(1, sizeof(*p));

    assert(c->plan && c->worker_args && c->machine && events->ended);
    if (!p)
        return -ENOMEM;
    *p = (struct pool){.config = *c, .events = *events, .loop = loop};
    gauge_set(GAUGE_WAITING, 0);
    p->store_ok_until_ms = pool_now(p) + UNTRIED_MS;
    for (unsigned n = 0; n < POOL_SLOTS_MAX; n++) {
        struct worker_slot *s = &p->slots[n];

        s->pool = p;
        s->stuck_ms = c->stuck_ms > silence_ms ? c->stuck_ms : silence_ms;
        s->child = (struct child){.loop = loop,
                                  .ctx = s,
                                  .message = pool_on_message,
                                  .ended = pool_on_worker_ended,
                                  .closed = pool_on_worker_closed,
                                  .spawn = c->spawn};
        child_init(&s->child);
    }
    pool_share_memory(p);
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
                       .added_ms = pool_now(p),
                       .retain_ms = retention_due(&p->config.retention, c->found_ns, clock_wall_ns(), pool_now(p)),
                       .follow_fd = follow_fd};
    p->items = i;
    gauge_set(GAUGE_WAITING, ++p->count);
    fair_enter(&p->fair, &c->key);
    if (c->spool && volume_get(spool_fd(c->spool), &i->volume) < 0)
        i->volume = (struct volume){0};
    pool_count_room(p, i);
    return i;
}

int pool_add(struct pool *p, struct claim *c)
{
    assert(!p->closing && c->path && c->kind);
    if (!add_item(p, c, -1))
        return -ENOMEM;
    pool_schedule(p);
    return 0;
}

bool pool_has_room(const struct pool *p, const struct fair_key *k)
{
    return p->count < CLAIMS_ALL ? fair_of_part(&p->fair, k) < CLAIMS_MAX : fair_of_tenant(&p->fair, k) < CLAIMS_FEW;
}

int pool_add_open(struct pool *p, struct claim *c, int fd)
{
    struct item *i;

    assert(!p->closing && c->path && c->kind && fd >= 0);
    if (!(i = add_item(p, c, fd)))
        return -ENOMEM;
    i->complete = true;
    pool_schedule(p);
    return 0;
}

bool pool_may_hold(const struct pool *p, const struct fair_key *k)
{
    unsigned all = 0, tenant = 0;

    for (const struct item *i = p->items; i; i = i->next)
        if (i->follow_fd >= 0) {
            all++;
            tenant += i->claim->key.tenant == k->tenant;
        }
    return all < HELD_ALL && tenant < HELD_TENANT;
}

/* A worker for a file to follow, if no claim waits. */
static struct worker_slot *spare_slot(struct pool *p)
{
    uint64_t ignored = UINT64_MAX, now = pool_now(p);

    return p->closing || p->hold_until_ms > now || pool_next_item(p, now, &ignored) ? NULL
                                                                                    : pool_free_slot(p, now, &ignored);
}

bool pool_may_follow(struct pool *p)
{
    return spare_slot(p) != NULL;
}

int pool_follow(struct pool *p, struct claim *c, int fd)
{
    struct worker_slot *s = spare_slot(p);
    struct item *i;

    assert(fd >= 0 && !p->closing);
    if (!s)
        return -EBUSY;
    if (!(i = add_item(p, c, fd)))
        return -ENOMEM;
    /* pool_start_item may fail at once, and frees i then */
    pool_start_item(p, s, i);
    if (s->item != i)
        return 1;
    pool_schedule(p); /* its worker has to be checked, and more claims may be added */
    return 0;
}

static struct item *find_followed(const struct pool *p, const char *id)
{
    for (struct item *i = p->items; i; i = i->next)
        if (item_is_followed(i) && !i->cancelled && text_eq(i->claim->id, id))
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
    pool_count_room(p, i);
    if (i->slot)
        child_send(&i->slot->child, &w);
    pool_schedule(p);
    return true;
}

void pool_unfollow(struct pool *p, const char *id)
{
    struct item *i = find_followed(p, id);

    if (i && i->slot)
        pool_cancel(i);
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
    uint64_t now = pool_now(p);

    for (struct item *i = p->items; i; i = i->next)
        if (i->slot || (i->due_ms <= now + within_ms && p->hold_until_ms <= now + within_ms))
            return true;
    return false;
}

void pool_set_facts(struct pool *p, const char *json)
{
    if (!p->facts)
        p->facts = strdup(json); /* without memory the next worker finds them again */
}

unsigned pool_log_left(const struct pool *p, unsigned max)
{
    unsigned logged = 0;

    for (const struct item *i = p->items; i && logged < max; i = i->next, logged++) {
        int fault = i->retry.last ? i->retry.last : p->hold.last;

        log_event(EVENT_NOT_SHIPPED, LOG_STR("path", i->claim->path), LOG_UINT("bytes", i->claim->size),
                  LOG_STR("id", i->claim->id), LOG_STR("fault", fault ? fault_find(fault)->name : NULL));
    }
    return logged;
}

/* A process that hangs in the kernel does not end when it is killed. */
static void on_close_timer(uv_timer_t *timer)
{
    struct pool *p = timer->data;

    for (unsigned n = 0; n < POOL_SLOTS_MAX; n++)
        child_abandon(&p->slots[n].child);
}

void pool_close(struct pool *p)
{
    p->closing = true;
    uv_timer_stop(&p->timer);
    uv_close((uv_handle_t *)&p->timer, NULL);
    for (unsigned n = 0; n < POOL_SLOTS_MAX; n++) {
        child_kill(&p->slots[n].child);
        child_end(&p->slots[n].child);
    }
    if (pool_all_closed(p))
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
