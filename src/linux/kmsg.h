/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel log, read from /dev/kmsg: every reader gets all records, without removing them. Parses records
 * (linux/kmsgrecord.h), does not interpret their text, and never writes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "linux/kmsgrecord.h"

struct kmsg {
    int fd; /* owned; poll(2) it for POLLIN */
    bool awaited;
    int64_t ahead_usec; /* the log's clock less kernel_usec() */
};

#define KMSG_NONE                                                                                                      \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

/* path is "/dev/kmsg" except in tests. Begins with the oldest record that is left, or with the next new one.
 * -FAULT_UNREADABLE with a message. */
int kmsg_open(const char *path, bool oldest, struct kmsg *ret, struct err *e);
void kmsg_done(struct kmsg *k);

/* The next record: 1; 0 if there is none now; -EPIPE: some were overwritten before they were read, the next call goes
 * on with those that are left; else -errno. Malformed records are skipped. */
int kmsg_read(struct kmsg *k, struct kmsgrecord *ret);

/* A record's time in ns since 1970, by the present clock. Exact for records that were waited for; for older ones it may
 * be off by a second for some weeks of uptime. A record from before a suspend appears younger by the time of the
 * suspend. */
int64_t kmsg_wall_ns(const struct kmsg *k, uint64_t usec);
