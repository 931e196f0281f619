/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps up, beside a supervisor's loop, the process that arms the application's JVMs: starts it, starts it again when
 * it has died, and has it end when the application has, once it has copied what crash logs there are.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/backoff.h"
#include "base/strv.h"

struct armkeeper {
    struct strv args; /* our own for it; empty: there is none to keep */
    pid_t pid;        /* 0: it does not run */
    int channel;
    struct backoff backoff;
    uint64_t due_ms; /* of its next start, or of our patience's end; UINT64_MAX: neither */
    bool ending;
};

/* args: our own arguments for it ("salvage", "run-arm", …), ends with NULL; NULL: nothing is kept. group: the
 * application's process group, which is added to them. -ENOMEM. */
int armkeeper_start(struct armkeeper *k, char *const *args, pid_t group);

/* Whether that child was it. status: as wait says it. */
bool armkeeper_reap(struct armkeeper *k, pid_t child, int status);

/* It is to end. Whether it still runs is seen by k->pid. */
void armkeeper_end(struct armkeeper *k);

/* When now has come to k->due_ms. */
void armkeeper_on_time(struct armkeeper *k, uint64_t now_ms);
void armkeeper_done(struct armkeeper *k);
