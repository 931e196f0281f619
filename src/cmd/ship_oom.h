/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage ship --oom PID: run by a JVM that is out of memory (-XX:OnOutOfMemoryError), once in its life. HotSpot runs
 * it in a VM operation (debug.cpp, VM_ReportJavaOutOfMemory): the dump, if one was wanted, is whole by then; all of the
 * JVM stands still until we return, and answers nobody; then it exits or crashes, if it was told to.
 */
#pragma once

#include <sys/types.h>

#include "ship/shipping.h"

enum { SHIP_OOM_GIVE_UP_MS = 10 * 60 * 1000 }; /* unless told otherwise: a JVM that dies is not held for ever */

/* The plan has a give_up_ms. Returns the exit code. */
int ship_oom(struct shipping *s, pid_t pid);
