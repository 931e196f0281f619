/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's kills for want of memory, one by one out of its log, each with its time by the clock and the names of
 * whom it met. Changes nothing and waits for nothing: the caller polls. Names are what processes say of themselves.
 */
#pragma once

#include <sys/utsname.h>

#include "linux/bootid.h"
#include "linux/kmsg.h"
#include "oom/oomlog.h"
#include "place/container_names.h"

struct oom_log_reader {
    struct kmsg log; /* log.fd: poll it for POLLIN; -1: there is no log to be read */
    struct oomlog *kills;
    struct container_names tenants;
    bool once;    /* who runs is looked up once, not for each kill */
    bool scanned; /* that was done */
    bool lost;    /* some of the log was overwritten before it could be read */
    const struct whoami *self;
    struct utsname kernel;
    char boot_id[BOOTID_MAX];
    uint64_t due_ms; /* of the kill that waits for more to be said of it */
    bool waits;
    bool news; /* the last call has read something */
};

#define OOM_LOG_READER_NONE                                                                                            \
    {                                                                                                                  \
        .log = KMSG_NONE                                                                                               \
    }

/* self is borrowed. oldest: from the first kill that the log still has, else from now on. -FAULT_UNREADABLE: the log
 * may not be read; the log can then name what is known otherwise. -ENOMEM. */
int oom_log_reader_open(struct oom_log_reader *w, const struct whoami *self, bool oldest, struct err *e);
void oom_log_reader_done(struct oom_log_reader *w); /* accepts OOM_LOG_READER_NONE */

/* The next kill: 1 and the kill, named, the caller's to write to until the next call; 0: none by now; else -errno.
 * all: also one of which more may be said within moments. */
int oom_log_reader_next(struct oom_log_reader *w, uint64_t now_ms, bool all, struct oomkill **ret, struct err *e);

/* When to ask again though nothing came, monotonic; UINT64_MAX: no need. */
uint64_t oom_log_reader_due_ms(const struct oom_log_reader *w);

/* Kernel, machine, and the names of the container and the pod whose ids the kill has, if something of them runs. What
 * has a name already keeps it. */
void oom_log_reader_name(struct oom_log_reader *w, struct oomkill *k);
