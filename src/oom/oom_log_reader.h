/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads OOM kills from the kernel log, one by one, each with its wall clock time and the names of pod and container.
 * Changes nothing and never blocks: the caller polls. The names come from the environment of processes in the
 * container.
 */
#pragma once

#include <sys/utsname.h>

#include "linux/bootid.h"
#include "linux/kmsg.h"
#include "oom/oomlog.h"
#include "place/container_names.h"

struct oom_log_reader {
    struct kmsg log; /* log.fd: poll it for POLLIN; -1: the log cannot be read */
    struct oomlog *kills;
    struct container_names containers;
    bool scan_once; /* scan the running containers once, not for each kill */
    bool scanned;   /* that scan was made */
    bool lost;      /* a part of the log was overwritten before it was read */
    const struct whoami *self;
    struct utsname kernel;
    char boot_id[BOOTID_MAX];
    uint64_t due_ms; /* when the waiting kill is returned even if no more lines follow */
    bool waits;
    bool has_read; /* the last call has read new records */
};

#define OOM_LOG_READER_NONE                                                                                            \
    {                                                                                                                  \
        .log = KMSG_NONE                                                                                               \
    }

/* Borrows self. oldest: begins with the oldest record in the log, else with new ones. -FAULT_UNREADABLE: the log may
 * not be read; oom_log_reader_name works all the same. -ENOMEM. */
int oom_log_reader_open(struct oom_log_reader *r, const struct whoami *self, bool oldest, struct err *e);
void oom_log_reader_done(struct oom_log_reader *r); /* accepts OOM_LOG_READER_NONE */

/* The next kill: 1 and the kill, with names, which the caller may change until the next call; 0: none so far; else
 * -errno. all: also a kill of which more lines may follow within moments. */
int oom_log_reader_next(struct oom_log_reader *r, uint64_t now_ms, bool all, struct oomkill **ret, struct err *e);

/* When to call oom_log_reader_next again though the log has nothing new, monotonic; UINT64_MAX: no need. */
uint64_t oom_log_reader_due_ms(const struct oom_log_reader *r);

/* Sets kernel, host, and the names of the pod and container with the kill's ids, if a process of them runs. Fields
 * that are set already stay. */
void oom_log_reader_name(struct oom_log_reader *r, struct oomkill *k);
