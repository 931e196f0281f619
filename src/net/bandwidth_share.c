/* SPDX-License-Identifier: Apache-2.0
 *
 * The line is a time: when it will be free. A piece moves it by a compare-and-swap, so that together no more than the
 * rate is sent whatever else goes wrong; the rest only decides who does it.
 */
#include "net/bandwidth_share.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#define SECOND_NS 1000000000ull
#define GONE_NS (10 * SECOND_NS)  /* an entry that has not asked for so long can be had by another transfer */
#define AHEAD_NS (60 * SECOND_NS) /* no piece takes longer: the time is of another boot, or damaged */
#define POLL_LEAST_NS 200000ull   /* another transfer's turn: it takes about a piece's time */
#define POLL_MOST_NS (BANDWIDTH_WANTS_NS / 4)

enum { AHEAD_PIECES = 64 /* likewise, of a tenant's virtual time */ };

uint64_t bandwidth_piece(uint64_t rate)
{
    uint64_t piece = rate / 100;

    return piece < BANDWIDTH_PIECE_MIN ? BANDWIDTH_PIECE_MIN : piece;
}

static uint64_t load(const _Atomic uint64_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

static void store(_Atomic uint64_t *at, uint64_t value)
{
    atomic_store_explicit(at, value, memory_order_relaxed);
}

static bool is_recent(uint64_t then_ns, uint64_t now_ns, uint64_t within_ns)
{
    return then_ns != 0 && then_ns + within_ns > now_ns && then_ns < now_ns + AHEAD_NS;
}

/* Its entry, or a free one, or one that was left behind. NULL: there is none. */
static struct bandwidth_entry *find_entry(struct bandwidth_share *s, struct bandwidth_transfer *t, uint64_t now_ns)
{
    if (t->index < BANDWIDTH_TRANSFERS && load(&s->transfer[t->index].owner) == t->owner)
        return &s->transfer[t->index];
    for (unsigned i = 0; i < BANDWIDTH_TRANSFERS; i++) {
        struct bandwidth_entry *entry = &s->transfer[i];
        uint64_t owner = load(&entry->owner);

        if (owner != 0 && is_recent(load(&entry->asked_ns), now_ns, GONE_NS))
            continue;
        if (!atomic_compare_exchange_strong(&entry->owner, &owner, t->owner))
            continue;
        store(&entry->served_ns, 0);
        store(&entry->wants_ns, 0);
        if (load(&s->used) <= i)
            store(&s->used, i + 1);
        t->index = i;
        return entry;
    }
    return NULL;
}

static _Atomic uint64_t *tenant_end(struct bandwidth_share *s, uint64_t tenant)
{
    return &s->tenant_end[(tenant ^ tenant >> 32) * 0x9e3779b97f4a7c15ull >> 52];
}

/* Where the tenant's next piece begins in virtual time: a tenant that was away has saved nothing up. */
static uint64_t start_of(struct bandwidth_share *s, uint64_t tenant, uint64_t rate)
{
    uint64_t end = load(tenant_end(s, tenant)), clock = load(&s->clock);

    return end < clock || end - clock > AHEAD_PIECES * bandwidth_piece(rate) ? clock : end;
}

/* Whether one that waits goes before this one: its tenant has had less, or of the same tenant it waits longer. */
static bool another_is_first(struct bandwidth_share *s, const struct bandwidth_entry *ours,
                             const struct bandwidth_ask *ask)
{
    uint64_t start = start_of(s, ask->tenant, ask->rate), served = load(&ours->served_ns), used = load(&s->used);

    for (unsigned i = 0; i < BANDWIDTH_TRANSFERS && i < used; i++) {
        const struct bandwidth_entry *entry = &s->transfer[i];
        uint64_t its_start, its_served;

        if (entry == ours || load(&entry->owner) == 0 ||
            !is_recent(load(&entry->wants_ns), ask->now_ns, BANDWIDTH_WANTS_NS))
            continue;
        its_start = start_of(s, load(&entry->tenant), ask->rate);
        its_served = load(&entry->served_ns);
        if (its_start != start ? its_start < start : its_served != served ? its_served < served : entry < ours)
            return true;
    }
    return false;
}

/* Size in time; at most AHEAD_NS / 2. */
static uint64_t time_of(uint64_t size, uint64_t rate)
{
    uint64_t ns = size / rate * SECOND_NS + size % rate * SECOND_NS / rate;

    return ns > AHEAD_NS / 2 ? AHEAD_NS / 2 : ns;
}

static bool pay(struct bandwidth_share *s, const struct bandwidth_ask *ask, uint64_t free_ns)
{
    uint64_t from = free_ns, burst = ask->now_ns > BANDWIDTH_BURST_NS ? ask->now_ns - BANDWIDTH_BURST_NS : 0;

    if (from < burst || from > ask->now_ns)
        from = from < burst ? burst : ask->now_ns;
    return atomic_compare_exchange_strong(&s->free_ns, &free_ns, from + time_of(ask->size, ask->rate));
}

static void note_served(struct bandwidth_share *s, struct bandwidth_entry *entry, const struct bandwidth_ask *ask)
{
    uint64_t start = start_of(s, ask->tenant, ask->rate), clock = load(&s->clock);

    store(tenant_end(s, ask->tenant), start + ask->size);
    if (start > clock)
        atomic_compare_exchange_strong(&s->clock, &clock, start);
    if (!entry)
        return;
    store(&entry->wants_ns, 0);
    store(&entry->served_ns, ask->now_ns);
}

static uint64_t within(uint64_t ns, uint64_t least, uint64_t most)
{
    return ns < least ? least : ns > most ? most : ns;
}

uint64_t bandwidth_share_ask(struct bandwidth_share *s, struct bandwidth_transfer *t, const struct bandwidth_ask *ask)
{
    struct bandwidth_entry *entry = find_entry(s, t, ask->now_ns);
    uint64_t free_ns = load(&s->free_ns);

    assert(t->owner != 0 && ask->rate > 0 && ask->size > 0 && ask->now_ns > 0);
    if (entry) {
        store(&entry->tenant, ask->tenant);
        store(&entry->asked_ns, ask->now_ns);
        store(&entry->wants_ns, ask->now_ns);
    }
    if (free_ns > ask->now_ns && free_ns - ask->now_ns < AHEAD_NS)
        return within(free_ns - ask->now_ns, 1, POLL_MOST_NS);
    if ((is_recent(free_ns, ask->now_ns, BANDWIDTH_PATIENCE_NS) && (!entry || another_is_first(s, entry, ask))) ||
        !pay(s, ask, free_ns))
        return within(time_of(ask->size, ask->rate) / 4, POLL_LEAST_NS, POLL_MOST_NS);
    note_served(s, entry, ask);
    return 0;
}

void bandwidth_share_leave(struct bandwidth_share *s, const struct bandwidth_transfer *t)
{
    uint64_t owner = t->owner;

    if (t->index < BANDWIDTH_TRANSFERS)
        atomic_compare_exchange_strong(&s->transfer[t->index].owner, &owner, 0);
}
