/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of kills on their way into the store: encoded at once, shipped one after the other by a process
 * of its own (`salvage guard-record`), so that no store keeps the loop waiting. What there is no room for is told in
 * the log alone.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "oom/oomkill.h"
#include "place/identity.h"
#include "place/whoami.h"

enum {
    RECORDER_MAX = 256,        /* that wait, of all targets */
    RECORDER_TARGET_MOST = 32, /* of one */
    RECORDER_NAMES = 6,        /* namespace, pod, pod's uid, container, image, host */
    RECORDER_RATE_MAX = 60,    /* of one target, in: */
    RECORDER_RATE_MS = 10 * 60 * 1000,
    RECORDER_RATES = 128, /* targets whose rate is known; beyond, that of the one that began longest ago is forgotten */
    RECORDER_AGAIN_MS = 1000, /* where no process can be started */
    RECORDER_TARGET_MAX = 128
};

struct record {
    struct buf json; /* owned */
    char target[RECORDER_TARGET_MAX];
    char id[IDENTITY_MAX]; /* the case's; "" for one of its own */
    int64_t time_ns;       /* of the case */
    uint64_t pid;
    char name[RECORDER_NAMES][OOMKILL_HOST_MAX];
};

struct recorder_rate {
    char target[RECORDER_TARGET_MAX]; /* "": free */
    uint64_t since_ms;
    unsigned count;
};

struct recorder {
    char *const *args; /* what follows the record's own */
    struct record waiting[RECORDER_MAX];
    unsigned count;
    pid_t child; /* ships waiting[0]; 0: none */
    struct recorder_rate rate[RECORDER_RATES];
    pid_t (*fork)(void); /* NULL: fork(2). For tests. */
    uint64_t again_ms;   /* the last start failed: not before; 0: it did not */
};

/* who: whose it is; NULL: this machine's. The case's id is the kill's; time_ns is of that case, or of the kill. Caps
 * are per target: what kills itself again and again costs another no record. -ENOMEM, -ENOSPC (too many wait), -EBUSY
 * (too many in ten minutes). */
int recorder_add(struct recorder *r, const char *target, const struct oomkill *k, const struct whoami *who,
                 int64_t time_ns, uint64_t now_ms, struct err *e);

/* Starts the next one if none is on its way. Where no process or descriptor is to be had, nothing is lost: it is said
 * once, and tried again when this is called a second later. To be called with each turn of the loop. */
void recorder_start(struct recorder *r, uint64_t now_ms);

/* When to call it again though nothing came, monotonic; UINT64_MAX: no need. */
uint64_t recorder_due_ms(const struct recorder *r);

/* A child has ended: whether it was ours. */
bool recorder_reap(struct recorder *r, pid_t child, uint64_t now_ms);

void recorder_done(struct recorder *r); /* and ends the child */
