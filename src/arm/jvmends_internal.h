/* SPDX-License-Identifier: Apache-2.0
 *
 * The JVMs that jvmends watches, for the jvmends*.c files.
 */
#pragma once

#include "arm/jvmends.h"
#include "hotspot/jvmend.h"

enum {
    JVMENDS_FOLDERS = 4, /* that a dump or a crash log may appear in, and one that a JVM works in while it starts */
    JVMENDS_NAME_SIZE = 256
};

struct watched_jvm {
    struct jvmtrace trace;
    char *root, *below; /* where evidence of it goes */
    char dump_name[JVMENDS_NAME_SIZE];
    struct proc proc;
    int counters, pidfd, stat;
    int folder[JVMENDS_FOLDERS]; /* inotify's numbers */
    unsigned folders;
    uint64_t noted_ms, ended_ms, dumped_ms; /* monotonic; 0: not yet */
    bool readable;                          /* the kernel shows us how it ends */
    bool taken;                             /* near a limit of threads */
    uint64_t compared;                      /* with the limit: so many threads */
    int status;
    int64_t ended_ns;
    struct jvmend_sample sample;
};

struct jvmends {
    struct watched_jvm *item[JVMENDS_MAX]; /* owned */
    size_t count;
    int epoll, dumps; /* dumps: of inotify */
};

/* Whether its counters are open, or will never be there: opens them where that is possible by now. */
bool jvmends_has_counters(struct watched_jvm *w);

/* jvmends_files.c: dumps and crash logs, seen by inotify where the JVM makes them */

/* Watches the folders that evidence of the JVM may appear in. */
void jvmends_watch_folders(struct jvmends *e, struct watched_jvm *w);

/* Reads inotify's events, and notes which JVMs have begun a dump or a crash log (dumped_ms). */
void jvmends_read_files(struct jvmends *e);
