/* SPDX-License-Identifier: Apache-2.0
 *
 * The JVMs of this machine, or of this pid namespace: processes that map a libjvm.so. hotspot/jvm.h describes one.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct jvm_pids {
    pid_t *pid; /* ascending; owned */
    size_t count, capacity;
    size_t hidden; /* processes of other users whose maps we may not read */
};

/* root is "/proc" except in tests. Processes that end meanwhile are skipped. 0, -ENOSYS if there is no such root,
 * -ENOMEM. */
int jvm_find(const char *root, struct jvm_pids *ret, struct err *e);
int jvm_pids_add(struct jvm_pids *p, pid_t pid); /* 0 or -ENOMEM */
void jvm_pids_done(struct jvm_pids *p);
