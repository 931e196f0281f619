/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of one upload that are on their way, each on a thread of its own with a connection that it keeps; the first
 * failure, which stays and stops the rest; and the calls to the upload's owner, one at a time. What a part is to its
 * store is the sink's.
 */
#pragma once

#include <pthread.h>

#include "store/request_retry.h"
#include "store/sink.h"
#include "store/upload_pool.h"

enum { UPLOAD_ETAG_MAX = 256 }; /* a journal's (ship/journal.h) */

struct upload_flight_ops {
    int (*connect)(void *ctx, struct http **ret, struct err *e); /* for a further thread */
    /* One part, until the store has confirmed it, or another try would not help. etag: for upload_events.done. */
    int (*send)(void *ctx, struct http *h, const struct part *p, char etag[static UPLOAD_ETAG_MAX], struct err *e);
};

struct upload_flight {
    const struct upload_flight_ops *ops;
    void *ctx;                          /* of ops */
    const struct upload_events *events; /* the owner's */
    struct upload_pool *pool;
    struct request_patience patience; /* waits that end when the upload does */

    pthread_mutex_t lock; /* for the following, and for what a sink notes of its parts */
    int result;           /* the first failure */
    struct err error;

    pthread_mutex_t events_lock;
};

/* ops, ctx and events are set. 0 or -ENOMEM; upload_flight_done is called either way. */
int upload_flight_init(struct upload_flight *f, unsigned threads);

/* Waits for what is under way, and gives back what the sink still holds (NULL: nothing). */
void upload_flight_done(struct upload_flight *f, struct part *held);

/* The first failure, with its message; 0 without. */
int upload_flight_result(struct upload_flight *f, struct err *e);

/* Notes a failure, if it is the first, and stops the rest. Returns result. */
int upload_flight_fail(struct upload_flight *f, int result, const struct err *e);

/* sink_ops.write: take does what the sink has to do with a part; if it fails, so does the upload, and the part is given
 * back. */
int upload_flight_write(struct upload_flight *f, struct part *p, int (*take)(void *ctx, struct part *p, struct err *e),
                        struct err *e);

/* The owner's events. etag NULL: the part was not stored. */
void upload_flight_give_back(struct upload_flight *f, struct part *p, const char *etag);
void upload_flight_token(struct upload_flight *f, const char *token);
void upload_flight_waiting(struct upload_flight *f, const struct err *trouble, uint64_t delay_ms);
