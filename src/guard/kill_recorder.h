/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of kills on their way into the store: encoded at once, then shipped one after the other by a child
 * (`salvage guard-record`), so that the loop never waits for the store. A record for which there is no room is only
 * logged.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "oom/oomkill.h"
#include "place/identity.h"
#include "place/whoami.h"

enum {
    KILL_RECORDER_MAX = 256,        /* waiting records of all targets */
    KILL_RECORDER_TARGET_MOST = 32, /* of one target */
    KILL_RECORDER_NAMES = 6,        /* namespace, pod, pod's uid, container, image, host */
    KILL_RECORDER_RATE_MAX = 60,    /* records of one target within KILL_RECORDER_RATE_MS */
    KILL_RECORDER_RATE_MS = 10 * 60 * 1000,
    KILL_RECORDER_RATES = 128, /* targets whose rate is known; beyond, the one whose time began first is forgotten */
    KILL_RECORDER_AGAIN_MS = 1000, /* before the next try, if no process could be started */
    KILL_RECORDER_TARGET_MAX = 128
};

/* A kill to be recorded. All borrowed. */
struct kill_record {
    const char *target;         /* the guard's name for it */
    const struct oomkill *kill; /* its case_id is the case's; "": the record is a case by itself */
    const struct whoami *who;   /* the pod or host that it belongs to; NULL: this machine */
    int64_t time_ns;            /* of that case, or of the kill */
};

struct record {
    struct buf json; /* owned */
    char target[KILL_RECORDER_TARGET_MAX];
    char id[IDENTITY_MAX]; /* the case's; "": the record is a case by itself */
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
    char *const *args; /* the guard's own arguments, behind the request (guard/record_request.h) */
    struct record waiting[KILL_RECORDER_MAX];
    unsigned count;
    pid_t child; /* ships waiting[0]; 0: none */
    struct kill_recorder_rate rate[KILL_RECORDER_RATES];
    pid_t (*fork)(void); /* NULL: fork(2). For tests. */
    uint64_t again_ms;   /* when to try again after a failed start; 0: it did not fail */
};

/* Queues the record. Caps are per target: a target with many kills costs no other target a record. -ENOMEM, -ENOSPC
 * (too many wait), -EBUSY (too many in ten minutes). */
int kill_recorder_add(struct kill_recorder *r, const struct kill_record *kill, uint64_t now_ms, struct err *e);

/* Starts shipping the next record unless one is being shipped. Call it with each turn of the loop. If no process or
 * descriptor is available, that is logged once, and the record is tried again a second later. */
void kill_recorder_start(struct kill_recorder *r, uint64_t now_ms);

/* When to call kill_recorder_start again, monotonic; UINT64_MAX: no need. */
uint64_t kill_recorder_due_ms(const struct kill_recorder *r);

/* A child has ended. True: it was ours. */
bool kill_recorder_reap(struct kill_recorder *r, pid_t child, uint64_t now_ms);

void kill_recorder_done(struct kill_recorder *r); /* ends the child; logs the records that are lost */
