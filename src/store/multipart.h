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

struct multipart_plan {
    uint64_t part_size; /* bytes: a part is cut at the first frame end at or behind this */
    unsigned in_flight; /* besides the one that is being filled; at least 1 */
};

/* object_max: what the object can come to at most. memory: bytes for parts, in flight and being filled. slack: by how
 * much a part may exceed part_size (a frame). wanted: in flight, fewer where memory is short. -FAULT_USAGE if it can't
 * be done: the message says how much memory is missing, or that the object is too large for the store. */
int multipart_plan(uint64_t object_max, uint64_t memory, uint64_t slack, uint64_t part_min, uint64_t part_max,
                   unsigned parts_max, unsigned wanted, struct multipart_plan *ret, struct err *e);
