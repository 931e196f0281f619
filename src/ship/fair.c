/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts turns by hash of tenant and part.
 */
#include "ship/fair.h"

#include <assert.h>

enum { OLDEST_EVERY = 4 };

void fair_init(struct fair *f, uint64_t seed)
{
    *f = (struct fair){.seed = seed};
}

/* The finalizer of MurmurHash3. */
static unsigned slot_of(const struct fair *f, uint64_t key)
{
    key ^= f->seed;
    key = (key ^ key >> 33) * 0xff51afd7ed558ccdu;
    key = (key ^ key >> 33) * 0xc4ceb9fe1a85ec53u;
    return (unsigned)((key ^ key >> 33) % FAIR_SLOTS);
}

static unsigned tenant_slot(const struct fair *f, const struct fair_key *k)
{
    return slot_of(f, k->tenant);
}

static unsigned part_slot(const struct fair *f, const struct fair_key *k)
{
    return slot_of(f, k->tenant * 31 + k->part);
}

void fair_enter(struct fair *f, const struct fair_key *k)
{
    f->tenant[tenant_slot(f, k)].waiting++;
    f->part[part_slot(f, k)].waiting++;
}

void fair_leave(struct fair *f, const struct fair_key *k)
{
    assert(f->tenant[tenant_slot(f, k)].waiting > 0 && f->part[part_slot(f, k)].waiting > 0);
    f->tenant[tenant_slot(f, k)].waiting--;
    f->part[part_slot(f, k)].waiting--;
}

unsigned fair_of_tenant(const struct fair *f, const struct fair_key *k)
{
    return f->tenant[tenant_slot(f, k)].waiting;
}

unsigned fair_of_part(const struct fair *f, const struct fair_key *k)
{
    return f->part[part_slot(f, k)].waiting;
}

void fair_serve(struct fair *f, const struct fair_key *k)
{
    struct fair_slot *t = &f->tenant[tenant_slot(f, k)], *p = &f->part[part_slot(f, k)];

    t->served = p->served = ++f->clock;
    t->turns++;
    p->turns++;
}

bool fair_before(const struct fair *f, const struct fair_claim *a, const struct fair_claim *b)
{
    const struct fair_slot *ta = &f->tenant[tenant_slot(f, &a->key)], *tb = &f->tenant[tenant_slot(f, &b->key)];
    const struct fair_slot *pa = &f->part[part_slot(f, &a->key)], *pb = &f->part[part_slot(f, &b->key)];

    if (ta->served != tb->served)
        return ta->served < tb->served;
    if (pa->served != pb->served)
        return pa->served < pb->served;
    if (a->returned != b->returned)
        return a->returned < b->returned;
    if (a->size != b->size && pa->turns % OLDEST_EVERY != OLDEST_EVERY - 1)
        return a->size < b->size;
    return a->since_ns < b->since_ns;
}
