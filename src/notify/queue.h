/* SPDX-License-Identifier: Apache-2.0
 *
 * Notices that wait, on disk: FOLDER/TARGET/NAME.json, a folder for each target. What is in it survives restarts of
 * whoever wrote it and of whoever delivers it; a notice goes when its target has it, or when it is given up.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "notify/notify_target.h"

enum { QUEUE_NAME_MAX = 64, QUEUE_MOST = 10000 }; /* notices of one target */

/* The folder for notices below base: made (0700) if it is missing; never a link. Its descriptor, or -errno. */
int queue_open(int base);
/* The same, but -ENOENT if there is none. */
int queue_open_existing(int base);

/* Writes the notice for each target that wants it; durable when this returns. dirfd: of FOLDER. *ret_count: how many
 * targets want it. -errno; -E2BIG: QUEUE_MOST wait already. */
int queue_put(int dirfd, const struct notify_targets *targets, const struct notice *n, unsigned *ret_count,
              struct err *e);

struct queued {
    int folder; /* as given to queue_load */
    char name[QUEUE_NAME_MAX];
    int64_t put_ns; /* wall clock */
    struct notice notice;
};

struct queue {
    struct queued *item; /* the oldest first, of all folders */
    size_t count, capacity;
    unsigned damaged; /* that could not be read, and are gone now */
};

/* Adds those of one target in one folder (as queue_put's dirfd; borrowed). 0, also without a folder of the target;
 * -errno. */
int queue_load(int base, const struct notify_target *t, struct queue *q, struct err *e);
void queue_done(struct queue *q);

/* Whether nothing waits for any of the targets; false if a folder can't be read. */
bool queue_is_empty(int base, const struct notify_targets *targets);

/* Removes one from disk; one that is gone already counts as removed. */
int queue_remove(const struct notify_target *t, const struct queued *q);
