/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop's side of shipping: claims wait here, and worker processes ship them, fairly among tenants (ship/fair.h).
 * One worker at a time as long as claims finish quickly. When one takes long and others wait, further workers help if
 * --memory has room for them, else it is put back for a while, and later resumed by its journal. A failing store holds
 * all claims back together; a failing file only itself. Never reads the bytes of evidence.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "ship/child.h"
#include "ship/claim.h"
#include "ship/manifest.h"
#include "ship/plan.h"
#include "watch/retention.h"

struct pool;

struct pool_config {
    char *const *worker_args; /* arguments of a worker process, NULL-terminated; args[1] is WORKER_COMMAND */
    const struct plan *plan;
    const char *machine;
    struct retention retention;
    uint64_t stuck_ms;        /* a worker without progress for so long is killed; at least twice the store's timeout */
    bool once;                /* try each claim once */
    child_spawn *spawn;       /* NULL: uv_spawn */
    uint64_t (*now_ms)(void); /* NULL: clock_mono_ms */
};

enum pool_outcome {
    POOL_STORED,  /* shipped; the claim is finished */
    POOL_DROPPED, /* there was nothing to ship */
    POOL_FAILED   /* given up in this run; evidence in the spool stays there */
};

struct pool_events {
    void *ctx;
    /* The claim's object is in the store; called before the claim is finished, and again if that is interrupted. May
     * be NULL. */
    void (*stored)(void *ctx, const struct claim *c, const struct manifest *m);
    void (*ended)(void *ctx, const struct claim *c, enum pool_outcome outcome);
};

int pool_new(uv_loop_t *loop, const struct pool_config *c, const struct pool_events *events, struct pool **ret);
void pool_free(struct pool *p); /* after pool_close, and the loop's end */

/* Whether a tenant may add one more claim; else its file stays where it is. */
bool pool_has_room(const struct pool *p, const struct fair_key *k);

/* Takes the claim. 0, or -ENOMEM: the caller still owns it. */
int pool_add(struct pool *p, struct claim *c);

/* The same, and takes a descriptor of the evidence: its folder may vanish before it is shipped, or can't be opened by
 * its path. */
int pool_add_open(struct pool *p, struct claim *c, int fd);
/* Whether one more may be held so, as each tenant may hold a few. */
bool pool_may_hold(const struct pool *p, const struct fair_key *k);

/* Whether a file that is still being written could be followed now. */
bool pool_may_follow(struct pool *p);

/* Takes a claim on a file that is still being written, and fd, if the worker is idle; else -EBUSY, and takes neither.
 * 0: it is followed. 1: taken, but the attempt has failed at once: the claim is freed, and `ended` was called. */
int pool_follow(struct pool *p, struct claim *c, int fd);

/* The followed file with this id is complete, and may have been claimed: size, settled_ns and in_place are taken from
 * `now`. False if it isn't followed. */
bool pool_complete(struct pool *p, const struct claim *now);

/* The followed file was removed: its worker stops and aborts the upload. */
void pool_unfollow(struct pool *p, const char *id);

/* Facts of our surroundings (WIRE_FACTS) for workers that start from now on; only the first are kept. */
void pool_set_facts(struct pool *p, const char *json);

/* Whether a claim of this spool waits or is being shipped. */
bool pool_uses(const struct pool *p, const struct spool *s);

unsigned pool_count(const struct pool *p);  /* claims not ended */
unsigned pool_failed(const struct pool *p); /* given up, or shipped but not erasable */
/* Whether any claim can make progress within this time. */
bool pool_hopeful(const struct pool *p, uint64_t within_ms);
/* Logs at most max claims that have not ended, as not shipped. Returns how many it logged. */
unsigned pool_log_left(const struct pool *p, unsigned max);
/* Ends the workers and closes the handles, within seconds. The journals have the parts that were confirmed. */
void pool_close(struct pool *p);
