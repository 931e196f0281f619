/* SPDX-License-Identifier: Apache-2.0
 *
 * Which claim is next: tenants in turn, then the parts of a tenant (its folders), and within a part the smallest file
 * first (the histogram before the heap), but each fourth time the one that has waited longest. Stochastic fair
 * queueing: a table of fixed size counts turns by the hash of the tenant, however many tenants there are. Pure: knows
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
    unsigned returned; /* how often it was begun and put back so that others could go first: it comes after those that
                          were not */
    uint64_t size;     /* bytes to read */
    int64_t since_ns;  /* waiting */
};

struct fair_slot {
    uint64_t served; /* its last turn, counted in turns; 0: none */
    unsigned turns, waiting;
};

struct fair {
    uint64_t seed, clock;
    struct fair_slot tenant[FAIR_SLOTS], part[FAIR_SLOTS];
};

/* seed: random, so that no tenant can choose a slot to share. */
void fair_init(struct fair *f, uint64_t seed);

/* A claim enters or leaves; it counts while it waits and while it is shipped. */
void fair_enter(struct fair *f, const struct fair_key *k);
void fair_leave(struct fair *f, const struct fair_key *k);
/* Claims that have entered and not left. */
unsigned fair_of_tenant(const struct fair *f, const struct fair_key *k);
unsigned fair_of_part(const struct fair *f, const struct fair_key *k);

/* Gives the claim its turn. */
void fair_serve(struct fair *f, const struct fair_key *k);
/* Whether a goes before b. */
bool fair_before(const struct fair *f, const struct fair_claim *a, const struct fair_claim *b);
