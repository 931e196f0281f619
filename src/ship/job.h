/* SPDX-License-Identifier: Apache-2.0
 *
 * One attempt to ship one claim: read, digest, compress, send, verify, write the manifest. Blocks; has no loop, and
 * decides nothing about other claims. Erases nothing: 0 means that the evidence is stored and verified, and that the
 * caller may erase it. A stream's attempt can't be resumed: when it fails, the store has been asked to drop the upload.
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
    const struct facts *facts; /* found now; those of an earlier attempt count more (place/environment_facts.h) */
    struct sink *sink;
    const struct claim *claim;
    int fd;        /* of the evidence, for reading; borrowed */
    int claim_dir; /* for the journal; borrowed; -1: none */
    enum intake_source source;
    uint64_t buffer; /* of a stream: read ahead into so much memory, beside the plan's; 0: not */

    /* Each may be NULL. progress and waiting may come from other threads. */
    void (*progress)(void *ctx, uint64_t bytes);    /* of the file, in confirmed parts */
    void (*resumed)(void *ctx, uint64_t bytes);     /* that are in the store already */
    void (*state_lost)(void *ctx, const char *why); /* the journal cannot be written; goes on */
    void (*waiting)(void *ctx, const struct err *e, uint64_t delay_ms);
    void (*unverified)(void *ctx, const struct err *e); /* stored, but we have no right to read it back; goes on */
    void (*unanalysed)(void *ctx, const char *why);     /* --inspect: stored without its analysis; goes on */
    bool (*hurry)(void *ctx); /* asked several times a second while it is analysed: true ends that */
    void (*undigested)(void *ctx, const char *why); /* shipped without its digest; goes on */
    void (*unfiltered)(void *ctx);                  /* there was no seccomp for the process that parsed it; goes on */
    /* A growing file: waits up to delay_ms; 1 once the file is complete, 0 not yet, negative to stop. */
    int (*complete)(void *ctx, uint64_t delay_ms);
    /* For a stream. stop: asked several times a second while it is read; negative ends the attempt. ended: the writer
     * has closed it, nothing is visible in the store yet; negative if the writer reports a failure: the object is not
     * committed. partial: after the end, why the stream is not whole; NULL: it is, as far as its writer knows. pause:
     * after the end; leaves *ret alone where the pause is unknown. reading_ended: after a failure nothing more is read,
     * and fd may be closed, though the store may keep this attempt for a while. */
    int (*stop)(void *ctx, struct err *e);
    int (*ended)(void *ctx, struct err *e);
    const char *(*partial)(void *ctx);
    void (*pause)(void *ctx, struct pause *ret);
    void (*reading_ended)(void *ctx);
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
