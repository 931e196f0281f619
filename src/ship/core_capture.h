/* SPDX-License-Identifier: Apache-2.0
 *
 * A core of a living process, into a file, a descriptor, or the store: in one pass, without an intermediate copy. Used
 * by `core` and guard.
 */
#pragma once

#include "core/live_core.h"
#include "ship/shipping.h"

enum { CORING_NAME_MAX = 32 };

/* "core.PID", with the pid in our namespace. Returns out. */
const char *coring_name(const struct proc *p, char out[CORING_NAME_MAX]);

/* Into a new file with mode 0600, visible only when it is complete. Signals (linux/interrupt.h) end it. */
int core_to_file(const struct proc *p, const struct live_core_options *o, const char *path, struct live_core *ret,
                 struct err *e);

/* Into a writable descriptor. */
int core_to_descriptor(const struct proc *p, const struct live_core_options *o, int fd, struct live_core *ret,
                       struct err *e);

/* Into the store. If the store fails, the process is resumed at once. A core that was cut off is stored as partial. The
 * process's fields in s stay; a missing command is replaced by the process's name. */
int core_to_store(const struct proc *p, const struct live_core_options *o, struct shipping *s, struct live_core *ret,
                  struct err *e);
