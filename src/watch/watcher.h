/* SPDX-License-Identifier: Apache-2.0
 *
 * Policy of a watch: a file that is found becomes a candidate, a complete candidate becomes a claim, and the claim goes
 * to the pool. Owns the loop from start to stop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "notify/notify_target.h"
#include "place/layout.h"
#include "place/whoami.h"
#include "ship/child.h"
#include "ship/plan.h"
#include "watch/pod_roots.h"
#include "watch/retention.h"
#include "watch/source.h"

struct watcher_config {
    struct source_config source;
    const struct plan *plan;
    const struct whoami *who;
    const struct layout *layout;         /* NULL: the tenant is the file's owner */
    const char *state;                   /* NULL: .salvage in each folder; not of roots in pods */
    const struct pod_roots_config *pods; /* NULL: no folders in pods */
    uint64_t settle_ms, grace_ms, stuck_ms;
    struct retention retention;
    bool core_spool; /* the folder is the spool of `core install`: what is of one crash is one case */
    bool once;
    bool follow;        /* large dumps are shipped while they are being written */
    child_spawn *spawn; /* starts workers; NULL: uv_spawn */
    char *const *worker_args;
    char *const *armer_args; /* NULL: no JVMs are armed */
    char *const *notifier_args;
    const struct notify_targets *notify; /* without targets: no notices */
    const char *public_url;              /* for links in notices; NULL: none */
    char *const *check_args;             /* NULL: the store is not checked before the first evidence */
};

/* Runs until SIGTERM or SIGINT (once: until nothing is left to do). Returns 0 if all evidence that was found is stored,
 * -FAULT_LATER if some will be resumed, -FAULT_SOME if some could not be shipped, or why it can't run. */
int watcher_run(const struct watcher_config *c, struct err *e);
