/* SPDX-License-Identifier: Apache-2.0
 *
 * How long a JVM stood still for a request. HotSpot counts its time at safepoints (sun.rt.safepointTime,
 * runtimeService.cpp, JDK 8 to 25, updated at the end of each): the difference is the time of all safepoints in
 * between, collections included. For a JVM without counters (-XX:-UsePerfData) the time of its answer is an upper
 * bound.
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

/* Right after the answer. */
struct pause jvmpause_end(const struct jvm *j, const struct jvmpause *p);
