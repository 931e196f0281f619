/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a file is complete: no process has it open for writing. A lease shows that; without leases (another owner, a
 * network file system), size and mtime must not change for some time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "place/identity.h"

enum settled {
    SETTLE_COMPLETE,
    SETTLE_WRITTEN,     /* a process has it open for writing: its close will be an event */
    SETTLE_RESTING,     /* poll again after wait_ms */
    SETTLE_UNREADABLE,  /* not readable for this uid; its identity is known */
    SETTLE_NO_EVIDENCE, /* missing, or no regular file */
    SETTLE_ERROR        /* could not be examined; the error may pass */
};

/* State of a file between polls; zeroed at first. */
struct settle {
    uint64_t size;
    int64_t mtime_ns;
    uint64_t since_ms; /* monotonic: size and mtime_ns are unchanged since; 0: not polled yet */
    bool closed;       /* inotify has reported the close of a writer */
};

struct settle_config {
    const char *machine; /* place/whoami.h */
    uint64_t rest_ms;    /* for how long size and mtime must not change; four times that without an event of a close */
    bool network;        /* leases don't work there */
};

struct settle_result {
    enum settled state;
    struct identity identity;
    int fd; /* for reading, with SETTLE_COMPLETE and SETTLE_WRITTEN; the caller's to close; else -1 */
    uint64_t wait_ms;
    int error; /* with SETTLE_ERROR: -errno */
};

/* Polls the file that is called name in the folder dirfd. */
struct settle_result settle_poll(struct settle *s, const struct settle_config *c, int dirfd, const char *name,
                                 uint64_t now_ms);
