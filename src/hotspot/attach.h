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

/* Sends a command with its arguments (NULL: none) and appends the text of the answer. 0; -EPROTO if the JVM answers
 * with an error, whose text is in the story; -ETIMEDOUT; -ESRCH if it has ended; -EACCES; -FAULT_REFUSED;
 * -FAULT_FORMAT; -EMSGSIZE beyond ret's ceiling. */
int attach_ask(const struct jvm *j, const char *command, const char *const args[ATTACH_ARGS],
               const struct attach_wait *wait, struct buf *ret, struct err *e);

/* The same for long answers, up to wait->most bytes (then -EMSGSIZE): fn gets the text piece by piece, as the JVM sends
 * it, and returns 0, or negative to break off (e is then its to write). A story of a JVM that gives up in the middle
 * comes as the end of the text. */
int attach_stream(const struct jvm *j, const char *command, const char *const args[ATTACH_ARGS],
                  const struct attach_wait *wait, int (*fn)(void *ctx, const char *text, size_t size), void *ctx,
                  struct err *e);
