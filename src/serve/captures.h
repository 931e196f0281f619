/* SPDX-License-Identifier: Apache-2.0
 *
 * What persons have asked to be taken of running pods (ship/capture_protocol.h): a queue that the agents of nodes take
 * from. Each request is offered to every agent; the one whose node has the pod takes it, and reports until it is over.
 * Kept in memory, for an hour after the end: the evidence itself goes into the store without us. Thread-safe.
 */
#pragma once

#include "ship/capture_protocol.h"

struct captures;

enum {
    CAPTURES_MAX = 1024,        /* also those that are over */
    CAPTURES_OPEN_MAX = 256,    /* that wait or are worked on */
    CAPTURES_OF_NAMESPACE = 10, /* of these */
    CAPTURES_OF_PERSON = 5,
    CAPTURE_TAKE_MS = 60 * 1000 /* an agent takes a request in this time, or it has failed */
};

/* A request as it stands. */
struct capture_view {
    struct capture_offer offer;
    struct capture_report report; /* its node is "" while the request waits */
    uint64_t version;             /* grows with each change */
    uint64_t age_ms;              /* since it was asked for */
};

struct captures_config {
    uint64_t (*clock_ms)(void); /* monotonic; NULL: clock_mono_ms */
    uint64_t take_ms;           /* 0: CAPTURE_TAKE_MS */
    const char *store_url;      /* of our store, with '/' at its end: evidence below it has a key; NULL: unknown */
};

/* Texts are copied. -ENOMEM. */
int captures_new(const struct captures_config *config, struct captures **ret);
void captures_stop(struct captures *c); /* those who wait go on; NULL is fine */
void captures_free(struct captures *c);

/* by: who asks. 0; -FAULT_BUSY with a sentence: too many wait, or one of that pod is not over; -ENOMEM. */
int captures_add(struct captures *c, const struct capture_order *order, const char *by, char ret_id[CAPTURE_ID_MAX],
                 struct err *e);

/* As it stands, at the latest at until_ms (of the monotonic clock): before that when it is over, or when its version is
 * no longer `seen` (0: any version). -ENOENT. */
int captures_wait(struct captures *c, const char *id, uint64_t seen, uint64_t until_ms, struct capture_view *ret);

struct capture_agent {
    const char *node;
    uint64_t after; /* the number of the last request that it has seen */
    uint64_t until_ms;
    bool (*may)(void *ctx, const char *namespace); /* offers of other namespaces are left out */
    void *ctx;
};

/* What waits behind `after`, as soon as there is something, none at until_ms. An agent that asks again has declined all
 * up to `after`. -FAULT_BUSY: too many agents. */
int captures_offer(struct captures *c, const struct capture_agent *a, struct capture_offers *ret, struct err *e);

/* An agent's report. may: as above. 0; -ENOENT: there is no such request (any more); -FAULT_EXISTS: another node has
 * it, or it is over. */
int captures_report(struct captures *c, const char *id, const struct capture_report *report,
                    bool (*may)(void *ctx, const char *namespace), void *ctx);

/* Nodes whose agents ask at this time. */
unsigned captures_agents(struct captures *c);
