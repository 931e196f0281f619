/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection to a JVM's attach socket. The JVM opens the socket on request: a file .attach_pidN, then SIGQUIT.
 * SIGQUIT ends a process without a handler, and makes others print their threads: so it is sent only to a JVM that
 * catches it and does not run with -XX:+DisableAttachMechanism.
 *
 * A JVM accepts connections of its own uid and gid only (JDK 10 and older not even of root), as seen from its user
 * namespace. As root we connect in a child process that takes the JVM's identity; this process never changes its own.
 */
#pragma once

#include "base/err.h"
#include "hotspot/jvm.h"

enum { ATTACH_ANSWER_MAX = 256 * 1024 * 1024 };

/* How long to wait for a JVM, and what ends the wait. */
struct attach_wait {
    uint64_t timeout_ms;      /* of silence: before the socket opens, and before each piece of an answer */
    uint64_t most;            /* bytes of a streamed answer; 0: ATTACH_ANSWER_MAX */
    bool (*stop)(void *ctx);  /* polled while waiting, true ends the wait; NULL: never */
    bool (*alive)(void *ctx); /* whether there is another sign of life, such as a growing dump; NULL: none */
    void *ctx;
};

/* Whether attaching is possible: the socket exists, or SIGQUIT may be sent. 0, or -FAULT_REFUSED with the reason (-Xrs,
 * DisableAttachMechanism …). */
int attach_possible(const struct jvm *j, struct err *e);

/* A connected, non-blocking socket. -ETIMEDOUT; -ESRCH if the JVM has ended; -EACCES; -FAULT_REFUSED; -ECANCELED. */
int attach_socket(const struct jvm *j, const struct attach_wait *wait, struct err *e);

/* To be called while the JVM is silent: 0 to go on waiting, else why not. *silent_since_ms: monotonic; set to now at a
 * sign of life. what: "does not answer". */
int attach_check_wait(const struct jvm *j, const struct attach_wait *wait, uint64_t *silent_since_ms, const char *what,
                      struct err *e);
