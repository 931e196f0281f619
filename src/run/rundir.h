/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder that a run's JVMs dump into: new at each start, so that a dump of an earlier run with the same pid is
 * never in the way. Its name is locked (flock) while the run lives; empty folders of runs that are gone are removed.
 */
#pragma once

#include "base/err.h"

struct rundir {
    char *base; /* absolute; what is watched, with all runs in it */
    char *path; /* base/run-…; made */
    int lock_fd;
};

#define RUNDIR_NONE                                                                                                    \
    {                                                                                                                  \
        .lock_fd = -1                                                                                                  \
    }

/* base is made if need be. Only we may write to both; where we are root, any user may to path: the application may
 * become one. A base that belongs to somebody else is refused. -FAULT_FOLDER with the story. */
int rundir_make(const char *base, struct rundir *ret, struct err *e);

/* The folder goes if it is empty. */
void rundir_done(struct rundir *d);
