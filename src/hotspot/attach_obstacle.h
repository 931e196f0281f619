/* SPDX-License-Identifier: Apache-2.0
 *
 * What keeps a JVM from opening its attach socket, seen from outside. The first SIGQUIT makes HotSpot start a thread,
 * the Attach Listener; if that thread can't be started, HotSpot exits (vm_exit_during_initialization in
 * attachListener.cpp). So every thread limit is checked before a signal is sent. Sends the JVM nothing.
 */
#pragma once

#include "base/err.h"
#include "hotspot/jvm.h"

/* Whether a SIGQUIT is safe: the listener runs, or there is room for it. 0, or -FAULT_REFUSED with the numbers. */
int attach_obstacle_limit(const struct jvm *j, struct err *e);

/* The same for callers that can wait: also -EAGAIN while threads are started so fast that the room may be gone before
 * the signal takes effect. Takes some milliseconds near a limit. */
int attach_obstacle_thread_burst(const struct jvm *j, struct err *e);

/* Whether the Attach Listener runs. */
bool attach_obstacle_listener_runs(const struct jvm *j);

/* State between checks of a silent JVM; zeroed at first. */
struct attach_fullness {
    int64_t collected;    /* end of the last full collection, in the JVM's ticks */
    unsigned collections; /* full collections that left the heap as full as it was */
};

/* Why a JVM that was signalled a second or two ago has opened no socket: its heap is full, or it has no file descriptor
 * left. To be called repeatedly while waiting. 0: no reason found; else -FAULT_REFUSED. */
int attach_obstacle_exhausted(const struct jvm *j, struct attach_fullness *seen, struct err *e);

/* Whether the JVM has used up its file descriptors, and the numbers. */
bool attach_obstacle_descriptors(const struct jvm *j, uint64_t *ret_used, uint64_t *ret_limit);
