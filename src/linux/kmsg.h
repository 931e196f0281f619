/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel log, read from /dev/kmsg: every reader sees all records, and takes none away. Knows their form
 * (linux/kmsgrecord.h), not what they say. Never writes there.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "linux/kmsgrecord.h"

struct kmsg {
    int fd; /* owned; poll(2) it for POLLIN */
    bool awaited;
    int64_t ahead_usec; /* the log's clock before what we take for it */
};

#define KMSG_NONE                                                                                                      \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

/* path is "/dev/kmsg" but in tests. From the oldest record that is still there, or from what comes now.
 * -FAULT_UNREADABLE with the message. */
int kmsg_open(const char *path, bool oldest, struct kmsg *ret, struct err *e);
void kmsg_done(struct kmsg *k);

/* The next record: 1; 0 if there is none now; -EPIPE: some were overwritten before they were read, go on with those
 * that are left; else -errno. What is no record is passed over. */
int kmsg_read(struct kmsg *k, struct kmsgrecord *ret);

/* A record's time as ns since 1970, by the clock of now. Of what came while it was waited for it is exact; of older
 * records it may be off by a second for some weeks of uptime. What came before the machine last slept seems younger
 * than it is by that sleep. */
int64_t kmsg_wall_ns(const struct kmsg *k, uint64_t usec);
