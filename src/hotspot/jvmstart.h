/* SPDX-License-Identifier: Apache-2.0
 *
 * Notices JVMs as they start, without scanning /proc: a JVM creates its counters file in /tmp/hsperfdata_USER
 * (perfMemory_posix.cpp) long before its application begins. Only a hint: JVMs with -XX:-UsePerfData create no file,
 * and only one /tmp is watched.
 */
#pragma once

#include <stdbool.h>

struct jvmstart {
    int fd;  /* of inotify, for poll; -1: nothing is noticed */
    int tmp; /* the watch number of folder itself */
    const char *folder;
};

#define JVMSTART_NONE                                                                                                  \
    {                                                                                                                  \
        .fd = -1, .tmp = -1                                                                                            \
    }

/* folder: "/tmp" except in tests; must outlive s. */
void jvmstart_open(struct jvmstart *s, const char *folder);

/* Reads pending events. True if a JVM may have started. */
bool jvmstart_read(struct jvmstart *s);

void jvmstart_done(struct jvmstart *s);
