/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of kills on their way into the store: written into memory at once, shipped one after the other by a process
 * of its own (`salvage guard-record`), so that no store keeps the loop waiting. What there is no room for is told in
 * the log alone.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "format/oomkill.h"
#include "os/identity.h"
#include "os/whoami.h"

enum {
    RECORDER_MAX = 32,      /* that wait */
    RECORDER_NAMES = 6,     /* namespace, pod, pod's uid, container, image, host */
    RECORDER_RATE_MAX = 60, /* in: */
    RECORDER_RATE_MS = 10 * 60 * 1000,
    RECORDER_TARGET_MAX = 128
};

struct record {
    int fd; /* of the JSON; owned */
    char target[RECORDER_TARGET_MAX];
    char id[IDENTITY_MAX]; /* the case's; "" for one of its own */
    int64_t time_ns;       /* of the case */
    uint64_t pid;
    char name[RECORDER_NAMES][OOMKILL_HOST_MAX];
};

struct recorder {
    char *const *args; /* what follows the record's own */
    struct record waiting[RECORDER_MAX];
    unsigned count;
    pid_t child; /* ships waiting[0]; 0: none */
    uint64_t window_ms;
    unsigned in_window;
};

/* who: whose it is; NULL: this machine's. The case's id is the kill's; time_ns is of that case, or of the kill.
 * -ENOMEM, -ENOSPC (too many wait), -EBUSY (too many in ten minutes). */
int recorder_add(struct recorder *r, const char *target, const struct oomkill *k, const struct whoami *who,
                 int64_t time_ns, uint64_t now_ms, struct err *e);

/* Starts the next one if none is on its way. */
void recorder_start(struct recorder *r);

/* A child has ended: whether it was ours. */
bool recorder_reap(struct recorder *r, pid_t child);

void recorder_done(struct recorder *r); /* and ends the child */
