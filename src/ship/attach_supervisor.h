/* SPDX-License-Identifier: Apache-2.0
 *
 * Supervises the process that attaches to JVMs or arms them, beside a loop of guard or run (which have no libuv; with
 * it: ship/child_supervisor.h). Starts it, restarts it when it has died, and ends it with the loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/backoff.h"
#include "base/events.h"
#include "base/strv.h"

struct attach_supervisor {
    struct strv args; /* of the process */
    pid_t pid;        /* 0: it does not run */
    int channel;      /* closed to end the process */
    struct backoff backoff;
    uint64_t due_ms; /* monotonic: its next start, or its SIGKILL; UINT64_MAX: neither */
    bool ending;
    enum event died; /* logged when it has died; set after the start. 0: EVENT_ARM_DIED */
};

#define ATTACH_SUPERVISOR_NONE                                                                                         \
    {                                                                                                                  \
        .channel = -1, .due_ms = UINT64_MAX                                                                            \
    }

/* args: of the process ("salvage", "run-arm", …), NULL-terminated, copied. more: one more argument, or NULL. A process
 * that can't be started is tried again later. -ENOMEM. */
int attach_supervisor_start(struct attach_supervisor *k, char *const *args, const char *more);

/* Whether the child that was reaped was this process; status: as from waitpid(2). */
bool attach_supervisor_reap(struct attach_supervisor *k, pid_t child, int status);

/* The last message to the process: how the application ended. status: as from waitpid(2). */
struct application_end {
    pid_t pid;
    int status;
};
void attach_supervisor_report_end(struct attach_supervisor *k, const struct application_end *end);

/* Asks the process to end. It still runs as long as k->pid is not 0. */
void attach_supervisor_end(struct attach_supervisor *k);

/* Called when k->due_ms has come. */
void attach_supervisor_on_time(struct attach_supervisor *k, uint64_t now_ms);
void attach_supervisor_done(struct attach_supervisor *k);
