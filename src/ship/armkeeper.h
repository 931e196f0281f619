/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps up, beside the loop of a supervisor or a guard, the process that arms JVMs or attaches to them: starts it,
 * starts it again when it has died, and has it end with its loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/backoff.h"
#include "base/strv.h"

struct armkeeper {
    struct strv args; /* our own for it */
    pid_t pid;        /* 0: it does not run */
    int channel;
    struct backoff backoff;
    uint64_t due_ms; /* of its next start, or of our patience's end; UINT64_MAX: neither */
    bool ending;
};

#define ARMKEEPER_NONE                                                                                                 \
    {                                                                                                                  \
        .channel = -1, .due_ms = UINT64_MAX                                                                            \
    }

/* args: our own arguments for it ("salvage", "run-arm", …), ends with NULL. more: one more of them, or NULL. -ENOMEM.
 */
int armkeeper_start(struct armkeeper *k, char *const *args, const char *more);

/* Whether that child was it. status: as wait says it. */
bool armkeeper_reap(struct armkeeper *k, pid_t child, int status);

/* The last word to it: how the application ended. status: as wait has it. */
struct armkeeper_word {
    pid_t pid;
    int status;
};
void armkeeper_tell(struct armkeeper *k, const struct armkeeper_word *word);

/* It is to end. Whether it still runs is seen by k->pid. */
void armkeeper_end(struct armkeeper *k);

/* When now has come to k->due_ms. */
void armkeeper_on_time(struct armkeeper *k, uint64_t now_ms);
void armkeeper_done(struct armkeeper *k);
