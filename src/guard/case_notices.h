/* SPDX-License-Identifier: Apache-2.0
 *
 * The notice of a guard's case: of the most telling piece that was stored, once all are. Written into the guard's
 * folder of notices (guard/guard_notifier.h) by the process of the case or record.
 */
#pragma once

#include "notify/notify_target.h"
#include "ship/manifest.h"
#include "ship/plan.h"

/* Zeroed but for what the owner sets; borrowed. */
struct case_notices {
    const struct notify_targets *targets;
    const char *public_url; /* for links; NULL: none */
    int folder;             /* -1: there are no notices */
    const struct plan *plan;
    struct notice notice; /* of the most telling piece so far; no id: none yet */
    unsigned rank;
};

/* A piece was stored. ctx: struct case_notices. */
void case_notices_stored(void *ctx, const struct manifest *m);

/* Writes the notice, if a piece was stored and there are targets. What fails is an event. */
void case_notices_put(struct case_notices *n);
void case_notices_done(struct case_notices *n);
