/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to a HotSpot JVM over its attach socket (hotspot/attach_socket.h), one connection each. Uses version 2 of
 * the protocol if the JVM has it, else version 1, which every JDK answers.
 *
 * A JVM at a safepoint (as while it runs an OOM hook), stopped or starting up answers late: a request fails after
 * timeout_ms of silence. From the first byte on, attach_ask allows timeout_ms for the rest of the answer, and
 * attach_stream three times that, not counting the reader's own time. Answers have a maximum size. For root, or callers
 * with the JVM's uid, that can reach its files through /proc/PID/root.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "hotspot/attach_protocol.h"
#include "hotspot/attach_socket.h"

/* A command of the attach listener with its arguments, which end with the first NULL. */
struct attach_question {
    const char *command;
    const char *args[ATTACH_ARGS];
};

/* A diagnostic command (hotspot/diagnostics.h). */
#define ATTACH_JCMD(diagnostic) (&(struct attach_question){"jcmd", {diagnostic}})

/* Appends the text of the answer. 0; -EPROTO if the JVM answers with an error (its text is in e); -ETIMEDOUT; -ESRCH if
 * the JVM has ended; -EACCES; -FAULT_REFUSED; -FAULT_FORMAT; -EMSGSIZE beyond ret's ceiling. */
int attach_ask(const struct jvm *j, const struct attach_question *q, const struct attach_wait *wait, struct buf *ret,
               struct err *e);

/* Receives the text of an answer piece by piece. Returns 0, or a negative result to stop, which attach_stream then
 * returns. */
struct attach_reader {
    int (*read)(void *ctx, const char *text, size_t size);
    void *ctx;
};

/* For long answers, up to wait->most bytes (-EMSGSIZE beyond): calls the reader as the text arrives. If the JVM fails
 * midway, its error message is the end of the text. */
int attach_stream(const struct jvm *j, const struct attach_question *q, const struct attach_wait *wait,
                  const struct attach_reader *to, struct err *e);
