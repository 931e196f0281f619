/* SPDX-License-Identifier: Apache-2.0
 *
 * The follower of JVMs, for the armfollow*.c files.
 */
#pragma once

#include "arm/armfollow.h"
#include "hotspot/jvmstart.h"

enum {
    ARMFOLLOW_STARTUP_MS = 15 * 1000,
    ARMFOLLOW_QUICK_MS = 200, /* between examinations, in the first STARTUP_MS of a quick follower */
    ARMFOLLOW_SOON_MS = 10
};

/* A process: a JVM, or one that may become a JVM by exec or by loading libjvm.so. */
struct followed {
    struct program program;
    uint64_t first_ms, next_ms; /* monotonic; next UINT64_MAX: not again */
    bool ours;                  /* below config->below, or in its group; stays so */
    bool soon;                  /* it is a JVM that is nearly ready: the loop wakes up for next_ms */
    int reported;               /* result of the last attempt that was logged */
};

/* All processes. */
struct table {
    struct followed *item; /* owned; ascending by pid */
    size_t count, capacity;
};

struct follower {
    const struct armfollow_config *config;
    struct arm_request request;
    struct table known;
    struct jvmstart starts;
    uint64_t began_ms;
};

/* For attaching, too: ctx is the follower. */
bool armfollow_is_stopped(void *ctx);

/* NULL: there is no process of that pid. */
const struct followed *armfollow_find(const struct table *t, pid_t pid);

/* armfollow_jvm.c: attaches to the process if it is a JVM, and plans when to examine it again. */
void armfollow_examine(struct follower *f, struct followed *s);
