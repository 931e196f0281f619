/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking a HotSpot JVM through its attach socket, in version 1 of the protocol, which every JDK answers. The socket is
 * there only once somebody wanted it: an .attach_pidN file and a SIGQUIT make the JVM open it. SIGQUIT ends a process
 * without a handler, and makes others print threads: so it goes only to what was seen to be a JVM that catches it, and
 * that has not been told to ignore the file.
 *
 * A JVM in a safepoint (as while it runs an OOM hook), stopped or starting up answers later: everything ends at a
 * deadline. Serves callers of the JVM's own uid, or root, that see its files through /proc/PID/root.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "format/attach.h"
#include "jvm/jvm.h"

struct attach_wait {
    uint64_t until_ms;       /* monotonic; for the socket, and for each byte that follows */
    bool (*stop)(void *ctx); /* asked now and then; NULL: never */
    void *ctx;
};

/* Whether the JVM could be asked: 0, or -FAULT_REFUSED with what is in the way (-Xrs, DisableAttachMechanism …). */
int attach_possible(const struct jvm *j, struct err *e);

/* Sends a command with its arguments (NULL: none) and appends the text of the answer. 0; -EPROTO if the JVM answers
 * with an error, whose text is in the story; -ETIMEDOUT; -ESRCH if it has ended; -EACCES; -FAULT_REFUSED;
 * -FAULT_FORMAT. */
int attach_ask(const struct jvm *j, const char *command, const char *const args[ATTACH_ARGS],
               const struct attach_wait *wait, struct buf *ret, struct err *e);
