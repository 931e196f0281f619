/* SPDX-License-Identifier: Apache-2.0
 *
 * A limit of bytes a second, in memory that processes share: each asks before it sends a piece, and gets it when the
 * line is free and the turn is its. Start-time fair queueing: tenants that want to send at the same time get equal
 * shares, those that want less get what they want (max-min fairness), and the transfers of one tenant take turns. One
 * alone gets all.
 *
 * No lock, and nothing is held: a piece is paid for at the moment when it may be sent. When a process is killed while
 * it is first, the others go on after BANDWIDTH_PATIENCE_NS, and what was not sent meanwhile is made up for
 * (BANDWIDTH_BURST_NS). Whatever stands in the memory, no transfer waits for ever. Pure: the caller has the clock, and
 * sleeps.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum {
    BANDWIDTH_TRANSFERS = 256, /* further ones go when the line is not in use, or when another leaves */
    BANDWIDTH_TENANTS = 4096,  /* by hash: two with one slot share a share */
    BANDWIDTH_PIECE_MIN = 4096 /* bytes */
};

#define BANDWIDTH_BURST_NS (100ull * 1000 * 1000)   /* what was not sent for so long may be sent at once */
#define BANDWIDTH_WANTS_NS (60ull * 1000 * 1000)    /* who waits asks again at least so often */
#define BANDWIDTH_PATIENCE_NS (30ull * 1000 * 1000) /* how long the line stays unused for the one that is first */

struct bandwidth_entry {    /* a transfer */
    _Atomic uint64_t owner; /* 0: free */
    _Atomic uint64_t tenant, asked_ns, served_ns;
    _Atomic uint64_t wants_ns; /* when it last asked in vain; 0: it sends */
};

/* All zero at first. Times are CLOCK_MONOTONIC's, in nanoseconds. */
struct bandwidth_share {
    _Atomic uint64_t free_ns; /* when the line is free */
    _Atomic uint64_t clock;   /* virtual time, bytes */
    _Atomic uint64_t used;    /* entries from there on were never used */
    struct bandwidth_entry transfer[BANDWIDTH_TRANSFERS];
    _Atomic uint64_t tenant_end[BANDWIDTH_TENANTS]; /* virtual time */
};

/* A transfer's handle, of one thread. */
struct bandwidth_transfer {
    uint64_t owner; /* unique in the machine, not 0 */
    unsigned index; /* of its entry */
};

/* The bytes of a piece at this rate (bytes a second): about 10 ms. */
uint64_t bandwidth_piece(uint64_t rate);

struct bandwidth_ask {
    uint64_t rate;   /* bytes a second */
    uint64_t tenant; /* hash */
    uint64_t size;   /* bytes, at least 1 */
    uint64_t now_ns;
};

/* 0: send so many bytes now. Else nanoseconds to wait before asking again. */
uint64_t bandwidth_share_ask(struct bandwidth_share *s, struct bandwidth_transfer *t, const struct bandwidth_ask *ask);

/* It sends no more. */
void bandwidth_share_leave(struct bandwidth_share *s, const struct bandwidth_transfer *t);
