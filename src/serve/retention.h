/* SPDX-License-Identifier: Apache-2.0
 *
 * What a policy does not keep is removed from the store: at the start, every hour, and when the disk gets fuller than
 * the policy wants. Each removal is an event with its reason.
 */
#pragma once

#include "base/err.h"
#include "ship/case_suspect.h"
#include "ship/retain_policy.h"
#include "store/sink.h"

struct retention;

struct retention_config {
    const struct sink_config *store;
    const struct retain_policy *policy; /* with at least one rule */
    int root_fd;                        /* whose file system free= is about; -1: none */
    uint64_t every_ms;                  /* 0: an hour */
    /* A key is gone; on the retention's thread. */
    void (*removed)(void *ctx, const char *key);
    /* The suspect of a case, if it is known without asking the store: 1; 0 if not. Only one of each suspect is kept of
     * a crash loop (ship/retain_plan.h). */
    int (*suspect)(void *ctx, const char *id, char out[SUSPECT_MAX]);
    void *ctx;
};

/* What it borrows must live as long. */
int retention_start(const struct retention_config *config, struct retention **ret, struct err *e);

/* Something was stored: if there is a limit for free room, and it is passed, removes now. Cheap; from any thread. */
void retention_stored(struct retention *r);

void retention_stop(struct retention *r); /* NULL is fine */
