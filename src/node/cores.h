/* SPDX-License-Identifier: Apache-2.0
 *
 * The handler of crashes, as the agent's configuration asks for it: installed at its start, changed when the
 * configuration or credentials change, and taken back when the configuration no longer has it. The end of the agent
 * leaves it: between two agents (a rolling update) cores are taken, too.
 */
#pragma once

#include <stdint.h>

#include "base/backoff.h"
#include "node/components.h"
#include "node/core_files.h"

struct cores {
    struct cores_plan plan; /* owned */
    struct core_files files;
    uint64_t stamp;  /* of credentials */
    uint64_t due_ms; /* when it is tried again; UINT64_MAX: all is done */
    struct backoff backoff;
};

/* Takes the plan over, and does what it asks for; what fails is an event, and is tried again. */
void cores_apply(struct cores *c, struct cores_plan *plan);

/* Copies credentials that have changed. */
void cores_check_credentials(struct cores *c);

/* Called when due_ms has come. */
void cores_on_time(struct cores *c, uint64_t now_ms);

void cores_done(struct cores *c);
