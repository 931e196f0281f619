/* SPDX-License-Identifier: Apache-2.0
 *
 * How much room what waits to be shipped may take, and why. The kubelet evicts a pod by what its volumes use,
 * against an emptyDir's sizeLimit and the pod's limit of ephemeral storage, neither of which can be seen from
 * inside; it has to be given. Without it a volume's own size counts (a tmpfs, a PVC), else what is free on the disk.
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
    ROOM_FREE       /* of the disk, without what waits itself */
};

struct room {
    enum room_by by;
    uint64_t bytes; /* that may be taken; at least 1, UINT64_MAX without a limit */
    uint64_t of;    /* the limit, the size, or what is free; 0 without */
};

enum { ROOM_FREE_PERCENT = 25 }; /* the kubelet evicts when a node's disk has less than 10 % left (nodefs.available) */

/* Pure. size, free: of the volume, 0: not known; ours: what waits there, and is not free because of that. */
struct room room_of(const struct retention *r, bool own, uint64_t size, uint64_t free, uint64_t ours);

/* The same of an open folder. What can't be found out is no limit. */
struct room room_get(const struct retention *r, int fd, const struct volume *v, uint64_t ours);

const char *room_by_name(enum room_by by); /* "volume-limit" */
