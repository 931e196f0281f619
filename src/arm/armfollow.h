/* SPDX-License-Identifier: Apache-2.0
 *
 * Attaches to JVMs as they start, while they have room for it (hotspot/attach_early.h), and arms them (hotspot/arm.h):
 * looks at /proc every few seconds, as no kernel tells a process without privileges of the start of another. A program
 * that was dealt with is not looked at again; one that is no JVM yet, or could not be armed, is, each time after twice
 * as long. Logs what it does. Blocks: for a process of its own.
 */
#pragma once

#include "hotspot/arm.h"
#include "linux/program.h"

struct crashlogs;
struct jvmends;

struct armfollow_config {
    struct arm_request request; /* wait and history are set here */
    bool attach_only;           /* nothing is armed: the socket is all that is wanted */
    bool ask_nothing;           /* JVMs know where to dump, and open their sockets themselves: only their ends matter */
    bool obey;                  /* a JVM that was given -XX:-HeapDumpOnOutOfMemoryError is not armed */
    bool quick;                 /* before the application can fail: looks more often at first, and hears of JVMs by
                                   the folders of their counters in our /tmp */
    pid_t below, group;         /* only processes below this one, or of that group; 0: all */
    struct crashlogs *crashlogs; /* NULL: crash logs stay where JVMs write them */
    struct jvmends *ends;        /* NULL: no word of JVMs that leave nothing themselves */
    /* Whether a JVM is to be dealt with; false: asked again later. NULL: each. */
    bool (*wanted)(void *ctx, const struct jvm *j);
    void *ctx;
    uint64_t every_ms, timeout_ms;
    int stop_fd; /* readable, or hung up: stop; a struct application_end may be received */
};

/* Until it is stopped: 0; or why it can't look. */
int armfollow_run(const struct armfollow_config *c, struct err *e);
