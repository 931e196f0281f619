/* SPDX-License-Identifier: Apache-2.0
 *
 * Hears of JVMs the moment they start, without looking: each makes the file of its counters in /tmp/hsperfdata_USER
 * (perfMemory_posix.cpp) long before its application begins. Our own /tmp only, and not those with -XX:-UsePerfData: a
 * hint, beside looks at /proc.
 */
#pragma once

#include <stdbool.h>

struct jvmstart {
    int fd; /* of inotify; -1: nothing is heard */
    int tmp;
};

#define JVMSTART_NONE                                                                                                  \
    {                                                                                                                  \
        .fd = -1, .tmp = -1                                                                                            \
    }

void jvmstart_open(struct jvmstart *s);

/* Takes what has come. Whether a JVM may have started. */
bool jvmstart_read(struct jvmstart *s);

void jvmstart_done(struct jvmstart *s);
