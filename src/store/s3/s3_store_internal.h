/* SPDX-License-Identifier: Apache-2.0
 *
 * The state of an S3 store, shared between the file that configures it (s3_open.c) and the one that signs with it
 * (s3_store.c). For these two alone.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "store/s3/s3_store.h"

/* Shared by all sinks of one store in a process (sink_ops.share). */
struct s3_shared {
    atomic_uint sinks;
    const struct s3_dialect *dialect;
    char *bucket, *prefix, *endpoint_given;
    struct s3_placing placing;
    struct user_headers headers;
    unsigned uploads;
    struct http_options options; /* ca_file owned */
    atomic_bool lacks[S3_LACK_END];

    pthread_mutex_t lock; /* for the following */
    struct s3_endpoint endpoint;
    char region[32];
    struct credentials cred;
    int64_t renew_at_ns; /* while they still hold */
    unsigned renewals;
    int64_t ahead_ns; /* the store's clock before ours, where it said that ours is wrong */
};

struct s3 {
    struct sink sink;
    struct http *http;
    struct s3_shared *of;
};

/* The endpoint for a region. */
int s3_place(const struct s3 *s, const char *region, struct s3_endpoint *ret, struct err *e);
