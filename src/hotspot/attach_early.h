/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes a JVM open its attach socket early, while it has room for one more thread and some heap. From then on it also
 * answers at its thread limit (where HotSpot would exit at a first attach) and with a full heap. Sends no request.
 *
 * Never while the JVM starts up: before it has a handler, SIGQUIT would end it; and HotSpot removes a socket that was
 * opened too early.
 */
#pragma once

#include "hotspot/attach_socket.h"

/* 0: the socket exists. -EAGAIN: the JVM is starting up, or starts threads near a limit; no signal was sent. Else as
 * attach_socket; -FAULT_REFUSED at a limit. wait->timeout_ms: how long to wait after the signal. */
int attach_early(const struct jvm *j, const struct attach_wait *wait, struct err *e);
