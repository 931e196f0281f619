/* SPDX-License-Identifier: Apache-2.0
 *
 * One core that the kernel offers: is it the process that the kernel means, do the rules want it, has its cgroup had
 * too many, is a slot free? Only then is it read.
 */
#pragma once

#include "node/core_choice.h"
#include "node/core_config.h"
#include "node/handler_protocol.h"

struct core_offer {
    int home; /* node/core_home.h; borrowed */
    const struct core_config *config;
    const struct core_choice *choices;
    size_t choice_count;
    const struct crash *crash;
    int in; /* the core's bytes; taken */
    /* Called once before the core is read, or not: by what the kernel is told. NULL: a pipe, which is read or closed.
     */
    int (*answer)(void *ctx, bool take, struct err *e);
    void *ctx;
    const struct core_choice *chosen; /* set by core_handle */
    bool is_own;                      /* this process handles nothing else: it may become the handler before us */
};

/* To be called in a process of its own: the environment becomes that of the chosen set. Blocks until it is done with.
 * 0; a fault was logged. */
int core_handle(struct core_offer *o, struct err *e);
