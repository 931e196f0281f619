/* SPDX-License-Identifier: Apache-2.0
 *
 * A core of a living process to where it is wanted: a file, a descriptor, or the store, in one pass and without a copy
 * on the way. Shared by `core` and guard.
 */
#pragma once

#include "core/live_core.h"
#include "ship/shipping.h"

enum { CORING_NAME_MAX = 32 };

/* "core.PID", by the pid that we know it by. Returns out. */
const char *coring_name(const struct proc *p, char out[CORING_NAME_MAX]);

/* Into a file that is not there yet, for the caller alone; seen only when it is complete. Signals (linux/interrupt.h)
 * end it. */
int core_to_file(const struct proc *p, const struct live_core_options *o, const char *path, struct live_core *ret,
                 struct err *e);

/* Into a descriptor that is for writing. */
int core_to_descriptor(const struct proc *p, const struct live_core_options *o, int fd, struct live_core *ret,
                       struct err *e);

/* Into the store. The process goes on as soon as the store fails. One that has been cut off is kept, as partial.
 * What s says of the process stays; a command that it does not know is the process's own name. */
int core_to_store(const struct proc *p, const struct live_core_options *o, struct shipping *s, struct live_core *ret,
                  struct err *e);
