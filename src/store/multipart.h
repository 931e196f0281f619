/* SPDX-License-Identifier: Apache-2.0
 *
 * The arithmetic of parts: how large they must be so that the whole object fits into the store's number of parts, and
 * how many fit into our memory at once. S3: 5 MiB to 5 GiB, 10,000 parts (S3 User Guide, "Multipart upload limits").
 * Allocates nothing, knows no store.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* What parts are no larger than unless the object needs it: a part is what a broken connection costs, and memory that
 * is better spent on a further part in flight. */
enum { MULTIPART_GOOD_SIZE = 8 * 1024 * 1024 };

struct multipart_need {
    uint64_t object_max;         /* what the object can come to at most */
    uint64_t memory;             /* bytes for parts, in flight and being filled */
    uint64_t slack;              /* by how much a part may exceed part_size (a frame) */
    uint64_t part_min, part_max; /* the store's */
    unsigned parts_max;          /* the store's; 0: no limit */
    unsigned wanted;             /* in flight; fewer where memory is short */
};

struct multipart_plan {
    uint64_t part_size; /* bytes: a part is cut at the first frame end at or behind this */
    unsigned in_flight; /* besides the one that is being filled; at least 1 */
};

/* -FAULT_USAGE if it can't be done: the message says how much memory is missing, or that the object is too large for
 * the store. */
int multipart_plan(const struct multipart_need *n, struct multipart_plan *ret, struct err *e);
