/* SPDX-License-Identifier: Apache-2.0
 *
 * Crash logs of JVMs that were not told where to write them: they lie in the JVM's working folder, or in /tmp, as
 * hs_err_pidN.log (vmError.cpp, VMError::report_and_die). When a JVM has ended, a copy of its log goes to the folder
 * that is watched; the log itself stays.
 *
 * A working folder may hold anything under that name: it is copied only if it is a regular file of the JVM's user,
 * written since the JVM began, and begins as HotSpot begins one.
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

/* Records a JVM, once. Not one with -XX:ErrorFile, nor one with other mounts than ours. */
void crashlogs_note(struct crashlogs *c, const struct jvmtrace *t);

/* Copies the logs of the JVMs that have ended. */
void crashlogs_collect(struct crashlogs *c);
void crashlogs_done(struct crashlogs *c);
