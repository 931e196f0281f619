/* SPDX-License-Identifier: Apache-2.0
 *
 * The handler's folder on the host: the program's copy, its configuration, what the handlers remember in common, and
 * their log. All of it belongs to root and is 0600 or 0700.
 *
 *   DIR/salvage       the copy that core_pattern names
 *   DIR/config.json   node/core_config.h
 *   DIR/ledger.json   node/core_ledger.h, locked (flock(2)) while it is changed
 *   DIR/slot.N        locked by the handler that reads a core: the cgroup's name is in it
 *   DIR/log           the handlers' events; at 1 MiB it becomes log.1
 */
#pragma once

#include "node/core_config.h"
#include "node/core_ledger.h"

#define CORE_HOME_DEFAULT "/var/lib/salvage/core"
#define CORE_HOME_PROGRAM "salvage"

/* Opens DIR; makes it if `create`. It must belong to us and not be writable for others. A descriptor, or -errno. */
int core_home_open(const char *dir, bool create, struct err *e);

/* Copies this program into it: closed before it gets its name, so that it can be executed, and a running one is never
 * written to. */
int core_home_copy_program(int home, struct err *e);

/* -ENOENT: there is none. */
int core_home_load(int home, struct core_config *ret, struct err *e);
int core_home_save(int home, const struct core_config *c, struct err *e);

/* Locks and reads the ledger; a damaged one begins anew; ret NULL: the lock alone. A descriptor for core_home_unlock,
 * or -errno. */
int core_home_lock(int home, struct core_ledger *ret);
/* Writes it (NULL: unchanged), and unlocks it. */
int core_home_unlock(int fd, const struct core_ledger *l);
/* Reads it without a lock. */
int core_home_peek(int home, struct core_ledger *ret);

/* Takes one of `count` slots: its descriptor, until it is closed. -EBUSY: all are taken, or the cgroup has its share.
 */
int core_home_slot(int home, const char *cgroup, unsigned count);

/* How many cores are being read now. */
unsigned core_home_slots_taken(int home);

/* Opens the log to append to. A descriptor, or -errno. */
int core_home_log(int home);
