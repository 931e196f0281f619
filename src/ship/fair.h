/* SPDX-License-Identifier: Apache-2.0
 *
 * Which claim is next: tenants one after the other, then the parts of a tenant (its folders), and within a part the
 * smallest first (the histogram before the heap), but each fourth time the one that has waited longest. Stochastic fair
 * queueing: tenants are remembered by hash in a table of fixed size, however many there are. Pure: knows
 * neither files nor workers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { FAIR_SLOTS = 1024 };

struct fair_key {
    uint64_t tenant; /* a namespace, or a uid: hashed */
    uint64_t part;   /* of the tenant */
};

/* What waits. */
struct fair_claim {
    struct fair_key key;
    unsigned
        returned;  /* how often it was begun and put back to let others through: it comes after those that were not */
    uint64_t size; /* bytes to read */
    int64_t since_ns; /* waiting */
};

struct fair_slot {
    uint64_t served; /* when it last had its turn, in turns; 0: never */
    unsigned turns, waiting;
};

struct fair {
    uint64_t seed, clock;
    struct fair_slot tenant[FAIR_SLOTS], part[FAIR_SLOTS];
};

/* seed: random, so that no tenant can choose with whom he shares a slot. */
void fair_init(struct fair *f, uint64_t seed);

/* One more, or one less, waits (or is being served). */
void fair_enter(struct fair *f, const struct fair_key *k);
void fair_leave(struct fair *f, const struct fair_key *k);
/* How many have entered and not left. */
unsigned fair_of_tenant(const struct fair *f, const struct fair_key *k);
unsigned fair_of_part(const struct fair *f, const struct fair_key *k);

/* It has its turn now. */
void fair_serve(struct fair *f, const struct fair_key *k);
/* Whether a goes before b. */
bool fair_before(const struct fair *f, const struct fair_claim *a, const struct fair_claim *b);
