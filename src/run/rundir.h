/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder that a run's JVMs dump into: a new one for each run, so that a dump of an earlier run with the same pid
 * is never in the way. The folder is locked (flock) while the run lives; empty folders of earlier runs are removed.
 */
#pragma once

#include "base/err.h"

struct rundir {
    char *base; /* absolute; the watched folder, which holds the folders of all runs */
    char *path; /* base/run-…; exists */
    int lock_fd;
};

#define RUNDIR_NONE                                                                                                    \
    {                                                                                                                  \
        .lock_fd = -1                                                                                                  \
    }

/* Makes base if necessary, and path. Only our user may write to them; if we are root, any user may write to path,
 * because the application may become another user. A base that belongs to another user is refused. -FAULT_FOLDER,
 * with an explanation. */
int rundir_make(const char *base, struct rundir *ret, struct err *e);

/* Removes the folder if it is empty. */
void rundir_done(struct rundir *d);
