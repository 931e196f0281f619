/* SPDX-License-Identifier: Apache-2.0
 *
 * One attempt to ship one claim: read, digest, compress, send, verify, write the manifest. Straight-line and blocking;
 * owns no loop and makes no decisions about other claims. Erases nothing: when it returns 0 the evidence is in the
 * store, verified, and its owner may. A stream leaves nothing to take up again: when its attempt fails the store has
 * been asked to forget what it had of it.
 */
#pragma once

#include <stdbool.h>

#include "place/facts.h"
#include "place/whoami.h"
#include "ship/claim.h"
#include "ship/intake.h"
#include "ship/manifest.h"
#include "ship/plan.h"

struct job {
    const struct plan *plan;
    const struct whoami *who;
    const struct facts *facts; /* what was found out now; an earlier attempt's hold (place/environment_facts.h) */
    struct sink *sink;
    const struct claim *claim;
    int fd;        /* of the evidence, for reading; borrowed */
    int claim_dir; /* for the journal; borrowed; -1: none */
    enum intake_source source;

    /* Each may be NULL. progress and waiting may come from other threads. */
    void (*progress)(void *ctx, uint64_t bytes);    /* of the file, in confirmed parts */
    void (*resumed)(void *ctx, uint64_t bytes);     /* that are in the store already */
    void (*state_lost)(void *ctx, const char *why); /* the journal cannot be written; goes on */
    void (*waiting)(void *ctx, const struct err *e, uint64_t delay_ms);
    void (*unverified)(void *ctx, const struct err *e); /* stored, and may not be read back; goes on */
    /* A growing file: waits up to delay_ms; 1 once the file is complete, 0 not yet, negative to stop. */
    int (*complete)(void *ctx, uint64_t delay_ms);
    /* A stream. stop: asked several times a second while it is read; negative ends it. ended: its writer has closed it,
     * nothing can be seen in the store yet; negative if the writer says that it has failed: it stays so. let_go: no
     * more is read after a failure, and fd may be closed; the store may keep us for a while yet. */
    int (*stop)(void *ctx, struct err *e);
    int (*ended)(void *ctx, struct err *e);
    const char *(*partial)(
        void *ctx); /* behind its end: why it is not whole; NULL: it is, as far as its writer knows */
    void (*pause)(void *ctx, struct pause *ret); /* a stream's, behind its end; untouched where it is not known */
    void (*let_go)(void *ctx);
    void *ctx;
};

struct job_result {
    struct manifest manifest;
    int64_t mtime_ns; /* of the file that was read */
    bool already;     /* was in the store before */
};

void job_result_done(struct job_result *r);

/* 0, or a fault: the caller decides when to try again (base/fault.h). */
int job_run(const struct job *job, struct job_result *ret, struct err *e);
