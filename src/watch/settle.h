/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a file is complete: nobody has it open for writing any more. The kernel says so through a lease; where it
 * won't (not the owner, a network file system), size and time at rest must do.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "place/identity.h"

enum settled {
    SETTLE_COMPLETE,
    SETTLE_WRITTEN,     /* somebody has it open for writing: there will be a close */
    SETTLE_RESTING,     /* look again after wait_ms */
    SETTLE_UNREADABLE,  /* not for this uid: identity is known */
    SETTLE_NO_EVIDENCE, /* gone, or no regular file */
    SETTLE_TROUBLE      /* could not be examined, by an error that may pass */
};

/* What was seen at the last look; zeroed at first. */
struct settle {
    uint64_t size;
    int64_t mtime_ns;
    uint64_t since_ms; /* monotonic; 0: not looked at yet */
    bool closed;       /* a writer was seen to close it */
};

struct settle_look {
    enum settled state;
    struct identity identity;
    int fd; /* for reading, with SETTLE_COMPLETE and SETTLE_WRITTEN; the caller's to close; else -1 */
    uint64_t wait_ms;
    int error; /* with SETTLE_TROUBLE: -errno */
};

/* machine: place/whoami.h. rest_ms: how long a file must rest; four times that if nobody was seen to close it. */
void settle_look(struct settle *s, int dirfd, const char *name, const char *machine, bool network, uint64_t rest_ms,
                 uint64_t now_ms, struct settle_look *ret);
