/* SPDX-License-Identifier: Apache-2.0
 *
 * An upload straight to the bucket, inside: shared by its caller's side (http_direct.c) and its parts, which are sent
 * on the threads of a pool (direct_upload.c).
 */
#pragma once

#include "store/http/gateway_client.h"
#include "store/upload_flight.h"

struct direct_upload {
    struct upload base;
    struct upload *stream;        /* not NULL: it passes through */
    struct gateway_client client; /* no upload before the first part; waits are the owner's, one call at a time */

    struct upload_flight flight;

    /* the caller's thread alone */
    unsigned count; /* parts, without an empty last one */
    uint64_t size;  /* bytes in them */

    /* With the flight's lock. */
    char **etags; /* NULL while a part is on its way */
    uint64_t *sizes;
    size_t capacity, sizes_capacity;
};

extern const struct upload_flight_ops DIRECT_UPLOAD_FLIGHT;

/* The first failure; 0: none. */
int direct_upload_failure(struct direct_upload *u, struct err *e);

/* What the bucket has. -ENOMEM. */
int direct_upload_note_part(struct direct_upload *u, unsigned number, uint64_t size, const char *etag, struct err *e);

/* For the notes of so many parts. -ENOMEM. */
int direct_upload_make_room(struct direct_upload *u, unsigned count, struct err *e);

/* Before the next try of a part; as upload_pool_wait. */
int direct_upload_wait(void *pool, uint64_t delay_ms);
