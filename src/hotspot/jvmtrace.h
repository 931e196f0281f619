/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts about a live JVM that are needed to find its dumps and crash logs after its end. Flat, so that a child
 * process can hand it over in shared memory.
 */
#pragma once

#include "hotspot/jvm.h"

enum { JVMTRACE_PATH_MAX = 4096, JVMTRACE_COMMAND_MAX = 2112, JVMTRACE_VERSION_MAX = 128 };

struct jvmtrace {
    pid_t pid, inner_pid; /* 0: unknown */
    uid_t uid;
    int64_t started_ns; /* since 1970; 0 unknown */
    bool same_files;    /* it is in our mount namespace */
    /* Paths in the JVM's mount namespace; "" unknown. */
    char work[JVMTRACE_PATH_MAX];  /* its working folder; unknown also at a moment of its start */
    char error[JVMTRACE_PATH_MAX]; /* -XX:ErrorFile */
    char dump[JVMTRACE_PATH_MAX];  /* HeapDumpPath: a file, or a folder */
    char command[JVMTRACE_COMMAND_MAX];
    char version[JVMTRACE_VERSION_MAX];
};

void jvmtrace_fill(const struct jvm *j, struct jvmtrace *ret);
