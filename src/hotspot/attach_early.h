/* SPDX-License-Identifier: Apache-2.0
 *
 * Has a JVM open its attach socket before anybody needs it: while it has room for one more thread and some heap. From
 * then on it answers at its limit of threads, too, where it could not be asked for the first time (HotSpot exits
 * there), and with a full heap. Asks it nothing.
 *
 * Never while it starts up: before its handler for SIGQUIT the signal would end it, and HotSpot removes a socket that
 * was opened before it is ready for one.
 */
#pragma once

#include "hotspot/attach_socket.h"

/* 0: the socket is there. -EAGAIN: not yet, as the JVM starts up, or starts threads near a limit; no signal was sent.
 * Else as attach_socket; -FAULT_REFUSED at a limit. wait->timeout_ms: for a JVM that was signalled. */
int attach_early(const struct jvm *j, const struct attach_wait *wait, struct err *e);
