/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of kills on their way into the store: encoded at once, shipped one after the other by a process
 * of its own (`salvage guard-record`), so that no store keeps the loop waiting. What there is no room for is logged
 * only.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "oom/oomkill.h"
#include "place/identity.h"
#include "place/whoami.h"

enum {
    KILL_RECORDER_MAX = 256,        /* that wait, of all targets */
    KILL_RECORDER_TARGET_MOST = 32, /* of one */
    KILL_RECORDER_NAMES = 6,        /* namespace, pod, pod's uid, container, image, host */
    KILL_RECORDER_RATE_MAX = 60,    /* of one target, in: */
    KILL_RECORDER_RATE_MS = 10 * 60 * 1000,
    KILL_RECORDER_RATES =
        128, /* targets whose rate is known; beyond, that of the one that began longest ago is forgotten */
    KILL_RECORDER_AGAIN_MS = 1000, /* where no process can be started */
    KILL_RECORDER_TARGET_MAX = 128
};

struct record {
    struct buf json; /* owned */
    char target[KILL_RECORDER_TARGET_MAX];
    char id[IDENTITY_MAX]; /* the case's; "" for one of its own */
    int64_t time_ns;       /* of the case */
    uint64_t pid;
    char name[KILL_RECORDER_NAMES][OOMKILL_HOST_MAX];
};

struct kill_recorder_rate {
    char target[KILL_RECORDER_TARGET_MAX]; /* "": free */
    uint64_t since_ms;
    unsigned count;
};

struct kill_recorder {
    char *const *args; /* the guard's own, behind the request (guard/record_request.h) */
    struct record waiting[KILL_RECORDER_MAX];
    unsigned count;
    pid_t child; /* ships waiting[0]; 0: none */
    struct kill_recorder_rate rate[KILL_RECORDER_RATES];
    pid_t (*fork)(void); /* NULL: fork(2). For tests. */
    uint64_t again_ms;   /* the last start failed: not before; 0: it did not */
};

/* who: whose it is; NULL: this machine's. The case's id is the kill's; time_ns is of that case, or of the kill. Caps
 * are per target: what kills itself again and again costs another no record. -ENOMEM, -ENOSPC (too many wait), -EBUSY
 * (too many in ten minutes). */
int kill_recorder_add(struct kill_recorder *r, const char *target, const struct oomkill *k, const struct whoami *who,
                      int64_t time_ns, uint64_t now_ms, struct err *e);

/* Starts the next one if none is on its way. Where no process or descriptor is to be had, nothing is lost: it is said
 * once, and tried again when this is called a second later. To be called with each turn of the loop. */
void kill_recorder_start(struct kill_recorder *r, uint64_t now_ms);

/* When to call it again though nothing came, monotonic; UINT64_MAX: no need. */
uint64_t kill_recorder_due_ms(const struct kill_recorder *r);

/* A child has ended: whether it was ours. */
bool kill_recorder_reap(struct kill_recorder *r, pid_t child, uint64_t now_ms);

void kill_recorder_done(struct kill_recorder *r); /* and ends the child */
