/* SPDX-License-Identifier: Apache-2.0
 *
 * Crash logs of JVMs without -XX:ErrorFile: HotSpot writes hs_err_pidN.log into the working folder, or /tmp
 * (vmError.cpp, VMError::report_and_die). When a JVM has ended, its log is copied to the watched folder; the log itself
 * stays.
 *
 * A file of that name is copied only if it is a regular file of the JVM's user, was written since the JVM's start, and
 * begins like HotSpot's.
 */
#pragma once

#include "hotspot/jvmtrace.h"

enum { CRASHLOGS_MAX = 256 };

struct crashlogs {
    const char *to; /* the folder */
    struct crashlog {
        struct proc proc;
        pid_t inner_pid;
        uid_t uid;
        int64_t started_ns;
        char *folder; /* its working folder; the path is the same for it and us */
    } jvm[CRASHLOGS_MAX];
    size_t count;
};

/* Records a JVM, once its working folder is known. Not one with -XX:ErrorFile, nor one with other mounts than ours. */
void crashlogs_note(struct crashlogs *c, const struct jvmtrace *t);

/* Copies the logs of the JVMs that have ended. */
void crashlogs_collect(struct crashlogs *c);
void crashlogs_done(struct crashlogs *c);
