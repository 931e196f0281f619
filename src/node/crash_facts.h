/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of a process while the kernel dumps its core: read at once, as it ends when its core has been read.
 * Everything in it is foreign text with a ceiling; values of its environment are not read into the record.
 */
#pragma once

#include "base/buf.h"
#include "linux/proc.h"
#include "node/handler_protocol.h"

enum { CRASH_NAME_MAX = 32, CRASH_OWNER_MAX = 200, CRASH_COMMAND_MAX = 2048 };

struct crash_facts {
    struct proc proc;
    struct proc_status status;
    int64_t started_ns;              /* 0 unknown */
    char *cgroup;                    /* of its memory, "" unknown */
    char owner[CRASH_OWNER_MAX];     /* whose limits count: the pod's UID, else the container's id, else the cgroup */
    char name[CRASH_NAME_MAX];       /* of the process (comm) */
    char thread[CRASH_NAME_MAX];     /* of the thread that died */
    char command[CRASH_COMMAND_MAX]; /* its command line, "" unknown */
    bool sensitive;                  /* a set-user-id program, or one with more rights than its user */
};

/* proc_root: "/proc" but in tests. -ESRCH: the process has gone, or its pid is another's by now: it does not dump core
 * (CoreDumping in its status, since Linux 4.15), is another one than the pidfd's, or began after the crash. -ENOMEM. */
int crash_facts_read(const char *proc_root, const struct crash *c, struct crash_facts *ret, struct err *e);
void crash_facts_done(struct crash_facts *f);

/* The crash log of a HotSpot JVM: its -XX:ErrorFile, or hs_err_pidN.log in its working folder or /tmp. Opened as the
 * process sees it; -1: there is none that is a regular file of its user, written since its start. */
int crash_facts_hs_err(const struct crash_facts *f);
