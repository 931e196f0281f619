/* SPDX-License-Identifier: Apache-2.0
 *
 * What the notes of a core say of the process as a whole: ids, state, name, command line, auxiliary vector.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "core/elfcore.h"
#include "linux/proc.h"

struct process_notes {
    struct elfcore_process process; /* its texts point into the fields below */
    char name[17];
    struct proc_words words;
    struct buf auxv, command; /* auxv: empty if it may not be read */
};

/* ret: zeroed; it must not be moved afterwards, and is to be freed in any case. -ESRCH, also for a zombie;
 * -EOPNOTSUPP: a kernel thread; -ENOMEM. */
int process_notes_read(const struct proc *p, struct process_notes *ret, struct err *e);
void process_notes_done(struct process_notes *n);
