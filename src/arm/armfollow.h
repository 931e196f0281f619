/* SPDX-License-Identifier: Apache-2.0
 *
 * Attaches to JVMs as they start, while they have room for it (hotspot/attach_early.h), and arms them (hotspot/arm.h).
 * Reads /proc every few seconds: the kernel reports the start of a process only to privileged ones. A program that was
 * armed is not examined again; one that is no JVM yet, or could not be armed, is examined again, each time after twice
 * as long. Logs what it does. Blocks: it needs a process for itself.
 */
#pragma once

#include "hotspot/arm.h"
#include "linux/program.h"

struct crashlogs;
struct jvmends;

/* What to do in a round of the loop. */
enum armfollow_round {
    ARMFOLLOW_REST, /* nothing is wanted: /proc is not read */
    ARMFOLLOW_GO,
    ARMFOLLOW_AGAIN, /* what is wanted has changed: those that were not wanted are examined again */
};

struct armfollow_config {
    struct arm_request request; /* wait and history are set here */
    bool attach_only;           /* nothing is armed: the JVM only opens its socket */
    bool ask_nothing;           /* JVMs know where to dump, and open their sockets themselves: only their ends matter */
    bool obey;                  /* a JVM that was given -XX:-HeapDumpOnOutOfMemoryError is not armed */
    bool quick;                 /* before the application can fail: reads /proc more often at first, and watches the
                                   folders in our /tmp in which JVMs make their counters */
    pid_t below, group;         /* only processes below this one, or of that group; 0: all */
    struct crashlogs *crashlogs; /* NULL: crash logs stay where JVMs write them */
    struct jvmends *ends;        /* NULL: ends of JVMs that leave nothing are not recorded */
    /* Whether a JVM is to be armed; false: asked again later. NULL: each is. */
    bool (*wanted)(void *ctx, const struct jvm *j);
    /* Where this JVM is to dump to, borrowed until the next call; NULL: it is not to be armed now. NULL: as in the
     * request. */
    const struct armplace *(*place)(void *ctx, const struct jvm *j);
    enum armfollow_round (*round)(void *ctx); /* asked before each; NULL: each goes on */
    void *ctx;
    uint64_t every_ms, timeout_ms;
    int stop_fd; /* readable, or hung up: stop; a struct application_end may be received */
};

/* Until it is stopped: 0; or why /proc can't be read. */
int armfollow_run(const struct armfollow_config *c, struct err *e);
