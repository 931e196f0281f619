/* SPDX-License-Identifier: Apache-2.0
 *
 * For how long a JVM stands still while it is asked for something. HotSpot counts its time at safepoints
 * (sun.rt.safepointTime, runtimeService.cpp, JDK 8 to 25: updated at the end of each): the difference is the time of
 * all safepoints in between, collections included. A JVM without counters (-XX:-UsePerfData) has not stood still longer
 * than its answer took.
 */
#pragma once

#include "hotspot/jvm.h"
#include "linux/pause.h"

struct jvmpause {
    uint64_t begun_us;  /* monotonic */
    int64_t ticks;      /* at safepoints, before; -1: not known */
    int64_t per_second; /* ticks */
};

/* Right before the request. */
void jvmpause_begin(const struct jvm *j, struct jvmpause *ret);

/* Right behind the answer. */
struct pause jvmpause_end(const struct jvm *j, const struct jvmpause *p);
