/* SPDX-License-Identifier: Apache-2.0
 *
 * Notices of a guard: its cases and records write them into a folder (guard/case_notices.h), and one process for all,
 * `salvage guard-notifier`, delivers them, so that no request holds up a case and limits are known over all cases.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "ship/attach_supervisor.h"

struct guard_notifier {
    struct attach_supervisor process;
    int folder;      /* of a queue (notify/queue.h); -1: there are no notices */
    char *temporary; /* the folder goes with the guard; NULL: it is below --state */
    pid_t knows;     /* the process that was sent the folder */
};

#define GUARD_NOTIFIER_NONE                                                                                            \
    {                                                                                                                  \
        .process = ATTACH_SUPERVISOR_NONE, .folder = -1                                                                \
    }

/* args: of the process. state: --state; NULL: a folder of our own in TMPDIR. An error is of the folder. */
int guard_notifier_start(struct guard_notifier *n, char *const *args, const char *state, struct err *e);

/* The folder for this process and those that it forks; -1: none. */
int guard_notifier_folder(void);

/* A case or a record has ended: there may be notices. */
void guard_notifier_poke(struct guard_notifier *n);

bool guard_notifier_reap(struct guard_notifier *n, pid_t child, int status);
void guard_notifier_on_time(struct guard_notifier *n, uint64_t now_ms);

/* Has it deliver what there is, for a few seconds at most. */
void guard_notifier_finish(struct guard_notifier *n);
void guard_notifier_done(struct guard_notifier *n);
