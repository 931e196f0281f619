/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes side by side: the application, a watch that ships what it leaves, and one that arms its JVMs. Passes
 * signals on, reaps what the kernel gives to PID 1, starts the watch again when it dies, and never does anything to the
 * application that it would not have met without us. Allocates little and asks nobody: it must outlive both.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct supervise_config {
    char *const *app, *const *env; /* command line and environment, each ends with NULL */
    char *const *watch;            /* our own arguments for the watch ("salvage", "watch", …); NULL: none */
    char *const *watch_instead;    /* where another watch has those folders already (-FAULT_LOCKED); NULL: none */
    char *const *arm;              /* for the process that arms JVMs (run/arm_protocol.h); NULL: none */
    uint64_t grace_ms;             /* for the watch, after the application's end */
};

/* Until the application has ended and the watch has shipped what it could; logs how (EVENT_ENDED). Returns the
 * application's status as a shell would say it: its exit status, or 128 and the signal; negative if it could not be
 * started (-errno of execve). */
int supervise_run(const struct supervise_config *c, struct err *e);
