/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The Range header of a request (RFC 9110, 14.1.2 and 14.2), against the size of what is asked for.
 */
#pragma once

#include <stdint.h>

enum { RANGES_MAX = 32 };

struct range {
    uint64_t first, size; /* bytes; size > 0 */
};

struct ranges {
    struct range range[RANGES_MAX];
    unsigned count;
};

enum range_kind {
    RANGE_WHOLE,        /* none, of another unit or malformed: as if it were not there. So are more than RANGES_MAX, and
                           ranges that overlap so much that the whole is shorter (RFC 9110, 17.15) */
    RANGE_SOME,         /* 206: one or more, in the order of the request */
    RANGE_UNSATISFIABLE /* 416 */
};

/* header: NULL: there is none. ret is set for RANGE_SOME only. */
enum range_kind range_parse(const char *header, uint64_t size, struct ranges *ret);
