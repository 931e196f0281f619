/* SPDX-License-Identifier: Apache-2.0
 *
 * The JVMs of this machine, or of this pid namespace: processes that have a libjvm.so in them. Says nothing of what
 * they are (hotspot/jvm.h).
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

/* root is "/proc" but in tests. Processes that end meanwhile are passed over. -ENOSYS if there is no such root. */
int jvm_find(const char *root, struct jvm_pids *ret, struct err *e);
int jvm_pids_add(struct jvm_pids *p, pid_t pid); /* 0 or -ENOMEM */
void jvm_pids_done(struct jvm_pids *p);
