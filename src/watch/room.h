/* SPDX-License-Identifier: Apache-2.0
 *
 * How much room the evidence that waits may take, and why. The kubelet evicts a pod when its volumes exceed an
 * emptyDir's sizeLimit or the pod's limit of ephemeral storage; neither can be read from inside, so it has to be given.
 * Without it a volume's own size counts (a tmpfs, a PVC), else the free space of the disk.
 */
#pragma once

#include <stdint.h>

#include "linux/volume.h"
#include "watch/retention.h"

enum room_by {
    ROOM_UNLIMITED,
    ROOM_BYTES,     /* --retain-bytes N, for all volumes together */
    ROOM_LIMIT,     /* --volume-limit */
    ROOM_EPHEMERAL, /* --ephemeral-storage */
    ROOM_SIZE,      /* the volume's own size */
    ROOM_TENANT,    /* --retain-bytes-tenant, of one tenant */
    ROOM_KEEP_FREE, /* --keep-free: what is free beyond that, plus what waits on it */
    ROOM_FREE       /* free space of the disk, plus what waits on it */
};

struct room {
    enum room_by by;
    uint64_t bytes; /* bytes that may be taken; at least 1, UINT64_MAX without a limit */
    uint64_t of;    /* the limit, the size, or the free space; 0: none */
};

enum { ROOM_FREE_PERCENT = 25 }; /* the kubelet evicts when a node's disk has less than 10 % left (nodefs.available) */

/* Pure. size, free: of the volume, 0: unknown; ours: bytes of the evidence that waits on it. */
struct room room_of(const struct retention *r, bool own, uint64_t size, uint64_t free, uint64_t ours);

/* What --keep-free leaves, for one volume; ROOM_UNLIMITED without it. ret_spare: bytes with which two thirds of what
 * should be free still are: while the store works, new evidence may take so much for a moment. */
struct room room_keep_free(const struct retention *r, uint64_t size, uint64_t free, uint64_t ours, uint64_t *ret_spare);

/* The same for an open folder. A limit that can't be read is none. */
struct room room_get(const struct retention *r, int fd, const struct volume *v, uint64_t ours);

const char *room_by_name(enum room_by by); /* "volume-limit" */
