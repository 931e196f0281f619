/* SPDX-License-Identifier: Apache-2.0
 *
 * What keeps a JVM from opening its attach socket, seen from outside. The first SIGQUIT makes HotSpot start a thread,
 * the Attach Listener, and where that thread can't be started HotSpot exits (vm_exit_during_initialization in
 * attachListener.cpp): so its room is compared with every limit before any signal is sent. Asks the JVM nothing.
 */
#pragma once

#include "base/err.h"
#include "hotspot/jvm.h"

/* Whether a SIGQUIT is safe: the thread is there, or has room. 0, or -FAULT_REFUSED with the numbers. */
int attach_obstacle_limit(const struct jvm *j, struct err *e);

/* The same for who need not ask just now: not while threads are started so fast that the room may be gone before the
 * signal has its effect, either (-EAGAIN). Takes some milliseconds where the limit is near. */
int attach_obstacle_calm(const struct jvm *j, struct err *e);

/* Whether the thread is there. */
bool attach_obstacle_listens(const struct jvm *j);

/* State across checks of a silent JVM; zero at first. */
struct attach_fullness {
    int64_t collected;    /* end of the last collection of its whole heap, in its own time */
    unsigned collections; /* that left the heap as full as it was */
};

/* Why a JVM that was signalled a while ago (a second or two) has opened no socket: its heap is full, or it has no file
 * descriptor left. Asked again and again while waiting. 0: nothing is known; else -FAULT_REFUSED. */
int attach_obstacle_silence(const struct jvm *j, struct attach_fullness *seen, struct err *e);

/* Whether the JVM has used up its file descriptors; the numbers then. */
bool attach_obstacle_descriptors(const struct jvm *j, uint64_t *ret_used, uint64_t *ret_limit);
