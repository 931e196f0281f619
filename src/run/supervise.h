/* SPDX-License-Identifier: Apache-2.0
 *
 * Supervises the application, a watch that ships its evidence, and a process that arms its JVMs. Forwards signals,
 * reaps orphans that the kernel gives to PID 1, and starts the watch again when it dies. Changes nothing for the
 * application: it runs as it would without us. Allocates little and asks no network: it must outlive all three.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct supervise_config {
    char *const *app, *const *env; /* command line and environment, each ends with NULL */
    char *const *watch;            /* the watch's arguments ("salvage", "watch", …); NULL: no watch */
    char *const *watch_instead;    /* its arguments once another watch holds the folders (-FAULT_LOCKED); NULL: none */
    char *const *arm;              /* of the process that arms JVMs (run/arm_protocol.h); NULL: none */
    uint64_t grace_ms;             /* for the watch, after the application's end */
};

/* Runs until the application has ended and the watch has shipped what it could, and logs EVENT_ENDED. Returns the
 * application's exit status, or 128 plus the number of the signal that ended it, as a shell does; -errno of fork or
 * execve if the application could not be started. */
int supervise_run(const struct supervise_config *c, struct err *e);
