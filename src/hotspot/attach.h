/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking a HotSpot JVM through its attach socket (hotspot/attach_socket.h): one question, one connection. In version 2
 * of the protocol where the JVM has it, else in version 1, which every JDK answers.
 *
 * A JVM in a safepoint (as while it runs an OOM hook), stopped or starting up answers later: everything ends after a
 * time of silence. From its first byte on an answer that is asked for whole has the same time for the rest, and one
 * that is streamed three times as much, without what the caller takes for reading it; both have a largest size. Serves
 * callers of the JVM's own uid, or root, that see its files through /proc/PID/root.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "hotspot/attach_protocol.h"
#include "hotspot/attach_socket.h"

/* A command of the JVM's attach listener with its arguments (NULL: none). */
struct attach_question {
    const char *command;
    const char *args[ATTACH_ARGS];
};

/* A diagnostic command (hotspot/diagnostics.h). */
#define ATTACH_JCMD(diagnostic) (&(struct attach_question){"jcmd", {diagnostic}})

/* Appends the text of the answer. 0; -EPROTO if the JVM answers with an error, whose text is in e; -ETIMEDOUT; -ESRCH
 * if it has ended; -EACCES; -FAULT_REFUSED; -FAULT_FORMAT; -EMSGSIZE beyond ret's ceiling. */
int attach_ask(const struct jvm *j, const struct attach_question *q, const struct attach_wait *wait, struct buf *ret,
               struct err *e);

/* Gets the text of an answer piece by piece. Returns 0, or negative to break off: the error is then the reader's. */
struct attach_reader {
    int (*read)(void *ctx, const char *text, size_t size);
    void *ctx;
};

/* For long answers, up to wait->most bytes (then -EMSGSIZE): the reader gets the text as the JVM sends it. If the JVM
 * fails in the middle, its error is the end of the text. */
int attach_stream(const struct jvm *j, const struct attach_question *q, const struct attach_wait *wait,
                  const struct attach_reader *to, struct err *e);
