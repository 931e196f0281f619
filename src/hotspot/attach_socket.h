/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection to a JVM's attach socket. The socket is made on request: an .attach_pidN file and a
 * SIGQUIT make the JVM open it. SIGQUIT ends a process without a handler, and makes others print threads: so it goes
 * only to what was seen to be a JVM that catches it, and that does not run with -XX:+DisableAttachMechanism.
 *
 * The JVM talks to its own uid and gid only (JDK 10 and older not even to root), as it sees them from its user
 * namespace. Root connects under the JVM's identity, in a child: this process never changes its own.
 */
#pragma once

#include "base/err.h"
#include "hotspot/jvm.h"

enum { ATTACH_ANSWER_MAX = 256 * 1024 * 1024 };

/* How long to wait for a JVM, and what ends the waiting. */
struct attach_wait {
    uint64_t timeout_ms;      /* of silence: until the socket is open, and until each piece of an answer */
    uint64_t most;            /* bytes of an answer that is streamed; 0: ATTACH_ANSWER_MAX */
    bool (*stop)(void *ctx);  /* asked now and then; NULL: never */
    bool (*alive)(void *ctx); /* whether there is another sign of life, as a dump that grows; NULL: none */
    void *ctx;
};

/* Whether the JVM could be asked: it has a socket, or may be signalled for one. 0, or -FAULT_REFUSED with what is in
 * the way (-Xrs, DisableAttachMechanism …). */
int attach_possible(const struct jvm *j, struct err *e);

/* A connected, non-blocking socket. -ETIMEDOUT; -ESRCH if the JVM has ended; -EACCES; -FAULT_REFUSED; -ECANCELED. */
int attach_socket(const struct jvm *j, const struct attach_wait *wait, struct err *e);

/* While nothing comes from the JVM: 0 to wait on, else why not. silent_since_ms: monotonic; moves on with signs of
 * life. what: "does not answer". */
int attach_patience(const struct jvm *j, const struct attach_wait *wait, uint64_t *silent_since_ms, const char *what,
                    struct err *e);
